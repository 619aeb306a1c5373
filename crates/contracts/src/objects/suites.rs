/// One test of each case that an object store must pass: `object_contract!(Harness)`.
#[macro_export]
macro_rules! object_contract {
    ($harness:ty) => {
        $crate::contract_cases! {
            $harness, $crate::ObjectHarness, objects,
            store: [
                what_was_put_is_read_back,
                what_is_not_there_is_not_found,
                an_object_that_changed_is_not_read_as_the_old_one,
                a_deleted_object_is_gone,
                the_bucket_answers,
            ],
            uploads: [
                a_client_uploads_what_was_signed,
                another_length_is_refused,
                another_type_is_refused,
                a_signed_header_can_not_be_left_out,
                bytes_of_another_checksum_are_refused,
                a_second_put_never_replaces_an_object,
                of_uploads_that_race_one_is_stored,
                an_upload_url_expires,
                an_upload_url_is_good_for_one_key_and_one_method,
            ],
            downloads: [
                a_client_reads_an_object,
                an_object_is_offered_under_its_name,
                an_object_that_is_not_there_is_not_found,
                a_download_url_expires,
                a_url_that_was_not_signed_reads_nothing,
            ],
        }
    };
}
