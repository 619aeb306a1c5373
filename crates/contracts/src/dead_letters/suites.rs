/// Generates one test of each case of dead-letter queues: `dead_letter_contract!(Harness)`.
#[macro_export]
macro_rules! dead_letter_contract {
    ($harness:ty) => {
        $crate::contract_cases! {
            $harness, $crate::DeadLetterHarness, dead_letters,
            queue: [
                a_listed_message_has_its_reason_and_stays,
                a_list_is_limited,
                a_long_body_is_listed_by_its_beginning,
                a_redriven_message_leaves_the_others,
                an_unknown_id_moves_nothing,
                all_messages_are_redriven_unchanged,
            ],
        }
    };
}
