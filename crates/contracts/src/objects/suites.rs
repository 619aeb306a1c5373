/// Generates one test of each object store case: `object_contract!(Harness)`.
#[macro_export]
macro_rules! object_contract {
    ($harness:ty) => {
        $crate::contract_cases! {
            $harness, $crate::ObjectHarness, objects,
            store: [
                an_object_is_read_as_written,
                a_missing_object_is_not_found,
                a_read_with_an_old_etag_fails,
                a_deleted_object_is_removed,
                the_check_of_a_reachable_bucket_succeeds,
                keys_of_any_characters_are_different_objects,
            ],
            uploads: [
                a_client_uploads_as_signed,
                a_client_uploads_to_keys_of_any_characters,
                another_length_is_rejected,
                another_media_type_is_rejected,
                every_signed_header_is_required,
                bytes_with_another_checksum_are_rejected,
                a_second_put_never_replaces_an_object,
                one_of_concurrent_uploads_is_stored,
                an_upload_url_expires,
                an_upload_url_is_valid_for_one_key_and_one_method,
            ],
            downloads: [
                a_client_reads_an_object,
                an_object_is_offered_with_its_filename,
                a_download_of_a_missing_object_is_not_found,
                a_download_url_expires,
                a_modified_or_unsigned_url_reads_nothing,
            ],
        }
    };
}

/// Generates one test of each case about uploads in parts: `multipart_contract!(Harness)`.
#[macro_export]
macro_rules! multipart_contract {
    ($harness:ty) => {
        $crate::contract_cases! {
            $harness, $crate::ObjectHarness, objects,
            multipart: [
                a_file_sent_in_parts_becomes_an_object,
                one_small_part_is_enough,
                a_part_that_is_sent_again_is_replaced,
                an_unknown_upload_has_no_parts,
                an_aborted_upload_is_gone,
                parts_that_storage_does_not_have_are_refused,
                a_completion_never_replaces_an_object,
                more_parts_than_a_page_are_listed,
                open_uploads_are_listed_in_pages,
            ],
            part_urls: [
                a_part_of_another_length_is_rejected,
                a_part_url_is_valid_for_one_part_of_one_upload,
                a_part_url_expires,
            ],
        }
    };
}
