#!/usr/bin/env bash
# The store, by the aws command with its default settings. The bucket is empty at the beginning.
#
# The environment has the address, the key pair, the region, the name of the bucket, and an empty directory to work in.
set -euo pipefail
cd -- "$WORK"

fail() {
    echo "$*" >&2
    exit 1
}

# refused CODE COMMAND...
refused() {
    local code=$1 output
    shift
    if output=$("$@" 2>&1); then fail "succeeded instead of $code: $*"; fi
    case $output in
    *"($code)"*) ;;
    *) fail "$output instead of $code: $*" ;;
    esac
}

cat >config <<'CONFIG'
[default]
s3 =
    multipart_threshold = 6MB
    multipart_chunksize = 5MB
CONFIG
export AWS_CONFIG_FILE=$PWD/config AWS_PAGER=

echo "buckets"
[ "$(aws s3 ls | cut -d' ' -f3)" = "$BUCKET" ] || fail "aws s3 ls lists other buckets"
aws s3api head-bucket --bucket "$BUCKET"
[ "$(aws s3api get-bucket-location --bucket "$BUCKET" --output text)" = "$AWS_DEFAULT_REGION" ] || fail "another region"

echo "files and folders"
mkdir -p "photos/写真 1/a" downloaded
for number in 1 2 3; do echo "photo $number" >"photos/写真 1/a/$number+%20.jpg"; done
head -c 12000000 /dev/urandom >photos/large.jpg
aws s3 cp --quiet --recursive photos "s3://$BUCKET/photos"
aws s3 cp --quiet - "s3://$BUCKET/a//b" <photos/large.jpg
[ "$(aws s3 ls --recursive "s3://$BUCKET/" | wc -l)" = 5 ] || fail "not all files are listed"
[ "$(aws s3 ls "s3://$BUCKET/photos/" | tr -s ' ' | cut -d' ' -f2 | head -1)" = PRE ] || fail "the folder is not listed"
etag=$(aws s3api head-object --bucket "$BUCKET" --key photos/large.jpg --query ETag --output text)
case $etag in *-3\") ;; *) fail "$etag is not an ETag of three parts" ;; esac
aws s3 sync --quiet "s3://$BUCKET/photos" downloaded
diff -r photos downloaded
# Nothing is left to do.
[ -z "$(aws s3 sync "s3://$BUCKET/photos" downloaded)" ] || fail "sync downloads files again"
touch -d "1 hour ago" downloaded/*
[ -z "$(aws s3 sync --size-only downloaded "s3://$BUCKET/photos")" ] || fail "sync uploads files again"
aws s3 cp --quiet "s3://$BUCKET/photos/large.jpg" "s3://$BUCKET/copy.jpg"
aws s3 mv --quiet "s3://$BUCKET/copy.jpg" "s3://$BUCKET/moved.jpg"
aws s3 cp --quiet "s3://$BUCKET/moved.jpg" - | cmp - photos/large.jpg
refused 404 aws s3api head-object --bucket "$BUCKET" --key copy.jpg

echo "presigned"
url=$(aws s3 presign "s3://$BUCKET/a//b")
python3 -c 'import sys, urllib.request; sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1]).read())' "$url" |
    cmp - photos/large.jpg

echo "parts"
upload=$(aws s3api create-multipart-upload --bucket "$BUCKET" --key k --query UploadId --output text)
head -c 5242880 photos/large.jpg >first
tail -c +5242881 photos/large.jpg >second
part() {
    aws s3api upload-part --bucket "$BUCKET" --key k --upload-id "$upload" --part-number "$1" --body "$2" \
        --query ETag --output text
}
parts() {
    echo "{\"Parts\": [{\"PartNumber\": 1, \"ETag\": $1}, {\"PartNumber\": 2, \"ETag\": $2}]}"
}
complete() {
    aws s3api complete-multipart-upload --bucket "$BUCKET" --key k --upload-id "$upload" --multipart-upload "$1" "${@:2}"
}
first=$(part 1 first) second=$(part 2 second)
refused InvalidArgument part 0 first
refused InvalidArgument part 10001 first
listed=$(aws s3api list-parts --bucket "$BUCKET" --key k --upload-id "$upload" --page-size 1 --query 'Parts[].PartNumber' \
    --output text | tr '\n\t' '  ')
[ "$listed" = "1 2 " ] || fail "the parts $listed are listed"
[ "$(aws s3api list-multipart-uploads --bucket "$BUCKET" --query 'Uploads[].Key' --output text)" = k ] ||
    fail "the upload is not listed"
refused InvalidPart complete "$(parts "$second" "$first")"
complete "$(parts "$first" "$second")" --if-none-match '*' >/dev/null
refused PreconditionFailed complete "$(parts "$first" "$second")" --if-none-match '*'
aws s3 cp --quiet "s3://$BUCKET/k" - | cmp - photos/large.jpg
upload=$(aws s3api create-multipart-upload --bucket "$BUCKET" --key k --query UploadId --output text)
aws s3api abort-multipart-upload --bucket "$BUCKET" --key k --upload-id "$upload"
refused NoSuchUpload part 1 first

echo "deletions"
aws s3api delete-object --bucket "$BUCKET" --key k
aws s3 rm --quiet --recursive "s3://$BUCKET/"
[ -z "$(aws s3 ls --recursive "s3://$BUCKET/")" ] || fail "objects are left"
