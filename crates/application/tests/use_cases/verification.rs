use rapidphoto_application::{
    admin::VerifyStateRows,
    ports::{AggregateState, Aggregates, Change, Commit, EventMetadata, Ids, Journal, NewEvent, NonEmpty},
};
use rapidphoto_domain::{EventId, StreamId, photo::PhotoCommand};

use crate::bench::Bench;

#[tokio::test]
async fn a_record_that_the_use_cases_wrote_is_sound() {
    let bench = Bench::new();
    let promised = bench.promise(450).await;
    for promised in &promised[..30] {
        bench.put(promised);
    }
    bench.deliver().await;
    bench.work_off().await;
    bench.completion().catch_up().await.unwrap();
    let report = VerifyStateRows::new(&bench.ports.database)
        .handle()
        .await
        .unwrap();
    assert!(report.is_clean());
    assert_eq!(report.streams, 451);
}

#[tokio::test]
async fn a_row_that_is_not_the_fold_of_its_stream_is_found() {
    let bench = Bench::new();
    let promised = bench.promise_one().await;
    let before = Aggregates::photo(&bench.store, promised.photo)
        .await
        .unwrap()
        .unwrap();
    let events = before.value.decide(PhotoCommand::StartUpload).unwrap();
    let mut commit = Commit::new(bench.now(), EventMetadata::default());
    commit.changes.push(Change {
        stream: StreamId::Photo(promised.photo),
        expected: before.version,
        events: NonEmpty::from_vec(
            events
                .into_iter()
                .map(|event| NewEvent {
                    id: EventId::from_bits(bench.ids.ulid()),
                    event: event.into(),
                })
                .collect(),
        )
        .unwrap(),
        // The state before the event, written as if it were the state after it.
        state: AggregateState::Photo(Box::new(before.value)),
    });
    bench.store.commit(commit).await.unwrap();
    let report = VerifyStateRows::new(&bench.ports.database)
        .handle()
        .await
        .unwrap();
    assert_eq!(report.mismatches.len(), 1);
    assert_eq!(report.mismatches[0].stream, StreamId::Photo(promised.photo));
    assert!(report.mismatches[0].to_string().contains("not the fold"));
}

#[tokio::test]
async fn a_record_that_is_written_to_meanwhile_is_not_found_wrong() {
    for seed in 0..10 {
        let bench = Bench::with(seed, |_| {});
        bench.store.faults().stagger(seed);
        let promised = bench.promise(20).await;
        for promised in &promised {
            bench.put(promised);
        }
        bench.deliver().await;
        let (_, (), ()) = tokio::join!(bench.work_off(), bench.assert_record_is_sound(), async {
            bench.promise(5).await;
        });
        bench.assert_record_is_sound().await;
    }
}
