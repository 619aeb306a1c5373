/// Generates one test of each case. Used by the contract macros only.
#[doc(hidden)]
#[macro_export]
macro_rules! contract_cases {
    ($harness:ty, $fresh:path, $kind:ident, $($suite:ident: [$($case:ident),* $(,)?]),* $(,)?) => {
        $(
            mod $suite {
                #[allow(unused_imports, reason = "the harness may be named by its full path")]
                use super::*;

                $(
                    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                    async fn $case() {
                        let harness = <$harness as $fresh>::fresh().await;
                        $crate::$kind::$suite::$case(harness).await;
                    }
                )*
            }
        )*
    };
}
