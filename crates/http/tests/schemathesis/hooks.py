"""A check of schemathesis: valid requests are refused only for reasons that the document can't express as a schema."""

import re

import schemathesis

# Code of the problem, place of the error, and the reason.
REASONS = [
    ("invalid_cursor", "cursor", "a cursor is opaque: the server makes it"),
    ("cursor_of_another_sort", "cursor", "a cursor is opaque"),
    ("invalid_parameter", "tag|label", "labels have no control characters and are more than white space or dots"),
    ("invalid_parameter", "takenFrom|takenTo", "not every month has 31 days"),
    ("invalid_parameter", "page", "the limit of `page` depends on `size`, and `page` excludes `cursor`"),
    ("invalid_body", "/labels/[0-9]+", "labels have no control characters and are more than white space or dots"),
    ("invalid_files", ".*", "filenames have a known extension and no separators; sizes depend on the configuration"),
    ("upload_id_reused", ".*", "upload ids are unique"),
    ("idempotency_key_reused", ".*", "a key belongs to the request that it was first sent with"),
    ("invalid_email", ".*", "addresses are more than a pattern"),
    ("invalid_password", ".*", "the limits of length count bytes"),
    ("ambiguous_credentials", ".*", "credentials are in the header or in the body"),
    ("malformed_json", "", "a log-in without HTTP Basic has a body"),
    ("invalid_parts", "/partNumbers/[0-9]+", "a part number is 1 to the number of parts, at most 10000"),
    ("invalid_parts", "/parts.*", "each part of the file is listed once, in order"),
    ("parts_incomplete", "/parts", "the parts must be in storage"),
    ("multipart_unavailable|dedupe_unavailable|metadata_stripping_unavailable", ".*", "it depends on the deployment"),
]


@schemathesis.check
def refusals_have_a_reason(ctx, response, case):
    if case.meta is None or case.meta.generation.mode.value != "positive" or response.status_code not in (400, 422):
        return
    problem = response.json()
    for error in problem.get("errors") or [{"pointer": ""}]:
        if not any(
            re.fullmatch(code, problem["code"]) and re.fullmatch(place, error["pointer"])
            for code, place, _ in REASONS
        ):
            raise AssertionError(f"valid, but refused as {problem['code']}: {error}")
