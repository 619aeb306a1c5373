/// One test of each case that a record must pass: `record_contract!(Harness)`.
#[macro_export]
macro_rules! record_contract {
    ($harness:ty) => {
        $crate::contract_cases! {
            $harness, $crate::RecordHarness, record,
            versions: [
                a_stream_begins_at_version_zero,
                every_event_moves_its_stream_by_one,
                a_wrong_expected_version_is_a_conflict_either_way,
                a_conflict_lists_every_stream_and_guard_that_moved,
                a_guard_that_holds_changes_nothing,
                a_guard_that_does_not_hold_refuses_the_commit,
            ],
            repeats: [
                the_same_commit_again_is_success_and_changes_nothing,
                a_repeated_commit_takes_back_nothing_that_came_after_it,
                a_repeated_commit_leaves_work_and_claims_alone,
                some_but_not_all_event_ids_are_a_duplicate,
                an_event_id_stored_elsewhere_is_a_duplicate,
                an_event_id_used_twice_in_one_commit_is_a_duplicate,
                event_ids_are_judged_before_versions,
                a_commit_without_events_gives_the_logs_end,
            ],
            unique_names: [
                an_upload_id_names_one_photo_of_a_user,
                an_upload_id_can_not_come_twice_in_one_commit,
                two_users_can_use_one_upload_id,
                a_deleted_photo_frees_its_upload_id,
                an_email_has_one_account,
                an_idempotency_key_is_free_once_it_has_expired,
                two_users_can_use_one_idempotency_key,
                versions_are_judged_before_unique_names,
            ],
        }
    };
}
