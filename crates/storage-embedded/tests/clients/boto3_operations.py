"""Every operation of the store, by boto3 with its default settings. The bucket is empty at the beginning.

The environment has the address, the key pair, the region and the name of the bucket.
"""

import base64
import hashlib
import io
import os
import threading
import urllib.error
import urllib.request

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

bucket = os.environ["BUCKET"]
s3 = boto3.client("s3")
MIB = 1024 * 1024
IN_PARTS = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        found = error.response["Error"]["Code"]
        assert found == code, f"{call.__name__}: {found} instead of {code}: {error}"
    else:
        raise AssertionError(f"{call.__name__} succeeded instead of {code}: {arguments}")


def read(key, **arguments):
    return s3.get_object(Bucket=bucket, Key=key, **arguments)["Body"].read()


def put(key, body, **arguments):
    return s3.put_object(Bucket=bucket, Key=key, Body=body, **arguments)


def buckets():
    assert [found["Name"] for found in s3.list_buckets()["Buckets"]] == [bucket]
    s3.head_bucket(Bucket=bucket)
    refused("404", s3.head_bucket, Bucket="another-bucket")
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] == s3.meta.region_name


def objects():
    keys = ["plain", "a//b", "/leading", "trailing/", "写真/猫 1+2%20.jpg", "a?b&c=d#e", "ü/" * 341 + "z", "\x01"]
    for key in keys:
        answer = put(key, key.encode(), ContentType="image/jpeg", Metadata={"place": "here"})
        assert answer["ETag"].endswith('-1"'), "no client takes it for an MD5"
        head = s3.head_object(Bucket=bucket, Key=key)
        assert (head["ContentLength"], head["ContentType"]) == (len(key.encode()), "image/jpeg"), key
        assert (head["Metadata"], head["ETag"]) == ({"place": "here"}, answer["ETag"]), key
        assert read(key) == key.encode(), key
    refused("KeyTooLongError", put, key="k" * 1025, body=b"")
    refused("NoSuchKey", s3.get_object, Bucket=bucket, Key="missing")
    refused("404", s3.head_object, Bucket=bucket, Key="missing")
    assert read("plain", Range="bytes=1-3") == b"lai"
    refused("InvalidRange", s3.get_object, Bucket=bucket, Key="plain", Range="bytes=9-")

    listed = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert [found["Key"] for found in listed] == sorted(keys)
    s3.delete_object(Bucket=bucket, Key=keys.pop())
    deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys]})
    assert sorted(found["Key"] for found in deleted["Deleted"]) == sorted(keys)
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def lists():
    keys = [f"{folder}/{number}" for folder in "abc" for number in range(5)] + ["top"]
    for key in keys:
        put(key, b"x")
    for operation in ["list_objects", "list_objects_v2"]:
        pages = s3.get_paginator(operation)
        found = [
            entry["Key"]
            for page in pages.paginate(Bucket=bucket, PaginationConfig={"PageSize": 4})
            for entry in page.get("Contents", [])
        ]
        assert found == keys, (operation, found)
        grouped = list(pages.paginate(Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 1}))
        prefixes = [entry["Prefix"] for page in grouped for entry in page.get("CommonPrefixes", [])]
        assert prefixes == ["a/", "b/", "c/"], (operation, prefixes)
    after = s3.list_objects_v2(Bucket=bucket, Prefix="b/", StartAfter="b/2", FetchOwner=True)["Contents"]
    assert [entry["Key"] for entry in after] == ["b/3", "b/4"]
    assert after[0]["Owner"]["ID"]
    boto3.resource("s3").Bucket(bucket).objects.all().delete()


def conditions():
    first = put("k", b"first", IfNoneMatch="*")["ETag"]
    refused("PreconditionFailed", put, key="k", body=b"second", IfNoneMatch="*")
    refused("PreconditionFailed", put, key="k", body=b"second", IfMatch='"other"')
    second = put("k", b"second", IfMatch=first)["ETag"]
    assert read("k", IfMatch=second) == b"second"
    refused("PreconditionFailed", s3.get_object, Bucket=bucket, Key="k", IfMatch=first)
    refused("304", s3.get_object, Bucket=bucket, Key="k", IfNoneMatch=second)
    refused("304", s3.head_object, Bucket=bucket, Key="k", IfNoneMatch=second)
    refused("PreconditionFailed", s3.delete_object, Bucket=bucket, Key="k", IfMatch=first)
    s3.delete_object(Bucket=bucket, Key="k", IfMatch=second)


def checksums():
    for algorithm in ["CRC32", "SHA1", "SHA256"]:
        stored = put("k", b"meow", ChecksumAlgorithm=algorithm)
        name = "Checksum" + algorithm
        assert stored[name], stored
        head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
        assert head[name] == stored[name], head
        assert head["ChecksumType"] == "FULL_OBJECT"
    # boto3 computes these only with another package.
    for name, value in [("ChecksumCRC32C", "fStCiA=="), ("ChecksumCRC64NVME", "0cnnQi6JyEk=")]:
        refused("BadDigest", put, key="k", body=b"woof", **{name: value})
    refused("BadDigest", put, key="k", body=b"woof", ContentMD5="IscjY3tpSFjT0KbIt1IjgQ==")
    md5 = hashlib.md5(b"meow")
    stored = put("k", b"meow", ContentMD5=base64.b64encode(md5.digest()).decode())
    assert stored["ETag"] == f'"{md5.hexdigest()}"'
    assert read("k") == b"meow"
    s3.delete_object(Bucket=bucket, Key="k")


def copies():
    put("a//source", b"meow", ContentType="image/png", Metadata={"place": "here"})
    source = {"Bucket": bucket, "Key": "a//source"}
    copied = s3.copy_object(Bucket=bucket, Key="ü", CopySource=source)
    assert copied["CopyObjectResult"]["ETag"] == s3.head_object(Bucket=bucket, Key="ü")["ETag"]
    assert s3.head_object(Bucket=bucket, Key="ü")["Metadata"] == {"place": "here"}
    refused("InvalidRequest", s3.copy_object, Bucket=bucket, Key="a//source", CopySource=source)
    refused("NoSuchKey", s3.copy_object, Bucket=bucket, Key="b", CopySource=f"{bucket}/missing")
    refused("NoSuchBucket", s3.copy_object, Bucket=bucket, Key="b", CopySource="another-bucket/a")
    arguments = dict(Bucket=bucket, Key="ü", CopySource=source, CopySourceIfMatch='"other"')
    refused("PreconditionFailed", s3.copy_object, **arguments)
    large = os.urandom(11 * MIB)
    put("large", large)
    # In parts, by ranges.
    s3.copy(dict(source, Key="large"), bucket, "copy", Config=IN_PARTS)
    assert read("copy") == large
    assert s3.head_object(Bucket=bucket, Key="copy")["ETag"].endswith('-3"')
    boto3.resource("s3").Bucket(bucket).objects.all().delete()


def multipart():
    body = os.urandom(12 * MIB)
    s3.upload_fileobj(io.BytesIO(body), bucket, "k", Config=IN_PARTS, ExtraArgs={"ContentType": "image/jpeg"})
    parts = [body[start : start + 5 * MIB] for start in range(0, len(body), 5 * MIB)]
    digest = hashlib.md5(b"".join(hashlib.md5(part).digest() for part in parts)).hexdigest()
    head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert (head["ETag"], head["ContentType"]) == (f'"{digest}-3"', "image/jpeg"), head
    downloaded = io.BytesIO()
    s3.download_fileobj(bucket, "k", downloaded, Config=IN_PARTS)
    assert downloaded.getvalue() == body

    for algorithm, kind in [("CRC32", "FULL_OBJECT"), ("CRC32", "COMPOSITE"), ("SHA256", "COMPOSITE")]:
        opened = s3.create_multipart_upload(
            Bucket=bucket, Key="k", ChecksumAlgorithm=algorithm, ChecksumType=kind
        )
        assert (opened["ChecksumAlgorithm"], opened["ChecksumType"]) == (algorithm, kind)
        upload = dict(Bucket=bucket, Key="k", UploadId=opened["UploadId"])
        named = []
        for number, part in enumerate(parts, 1):
            sent = s3.upload_part(**upload, PartNumber=number, Body=part, ChecksumAlgorithm=algorithm)
            name = "Checksum" + algorithm
            named.append({"PartNumber": number, "ETag": sent["ETag"], name: sent[name]})
        pages = s3.get_paginator("list_parts").paginate(**upload, PaginationConfig={"PageSize": 2})
        listed = [
            {key: part[key] for key in ["PartNumber", "ETag", name]} for page in pages for part in page["Parts"]
        ]
        assert listed == named, listed
        wrong = [dict(named[0], **{name: named[1][name]}), *named[1:]]
        arguments = dict(**upload, ChecksumType=kind)
        refused("InvalidPart", s3.complete_multipart_upload, **arguments, MultipartUpload={"Parts": wrong})
        completed = s3.complete_multipart_upload(**arguments, MultipartUpload={"Parts": named})
        assert (completed["ETag"], completed["ChecksumType"]) == (f'"{digest}-3"', kind)
        assert completed[name].endswith("-3") == (kind == "COMPOSITE"), completed
        head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
        assert head[name] == completed[name]
        assert read("k") == body
    s3.delete_object(Bucket=bucket, Key="k")


def multipart_refusals():
    upload = dict(Bucket=bucket, Key="k", UploadId=s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"])
    for number in [0, 10_001]:
        refused("InvalidArgument", s3.upload_part, **upload, PartNumber=number, Body=b"x")
    sent = [s3.upload_part(**upload, PartNumber=number, Body=b"small") for number in [1, 2]]
    named = [{"PartNumber": number, "ETag": part["ETag"]} for number, part in enumerate(sent, 1)]
    complete = lambda parts, **more: s3.complete_multipart_upload(  # noqa: E731
        **upload, MultipartUpload={"Parts": parts}, **more
    )
    refused("EntityTooSmall", complete, parts=named)
    refused("InvalidPartOrder", complete, parts=named[::-1])
    refused("InvalidPart", complete, parts=[dict(named[0], ETag='"0123456789abcdef0123456789abcdef"')])
    refused("MalformedXML", complete, parts=[])
    put("k", b"there")
    refused("PreconditionFailed", complete, parts=named[:1], IfNoneMatch="*")
    assert read("k") == b"there"

    others = [s3.create_multipart_upload(Bucket=bucket, Key=f"b/{number}")["UploadId"] for number in range(3)]
    pages = s3.get_paginator("list_multipart_uploads")
    arguments = dict(Bucket=bucket, PaginationConfig={"PageSize": 2})
    listed = [entry["Key"] for page in pages.paginate(**arguments) for entry in page.get("Uploads", [])]
    assert listed == ["b/0", "b/1", "b/2", "k"], listed
    for number, other in enumerate(others):
        s3.abort_multipart_upload(Bucket=bucket, Key=f"b/{number}", UploadId=other)
    s3.abort_multipart_upload(**upload)
    refused("NoSuchUpload", s3.abort_multipart_upload, **upload)
    refused("NoSuchUpload", s3.list_parts, **upload)
    refused("NoSuchUpload", s3.upload_part, **upload, PartNumber=1, Body=b"x")
    refused("NoSuchUpload", complete, parts=named[:1])
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    s3.delete_object(Bucket=bucket, Key="k")


def many_parts_at_the_same_time():
    """One page of a list has a thousand parts."""
    upload = dict(Bucket=bucket, Key="k", UploadId=s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"])
    numbers = [*range(1, 1002), 10_000]

    def send(some):
        for number in some:
            s3.upload_part(**upload, PartNumber=number, Body=b"x")

    threads = [threading.Thread(target=send, args=(numbers[start::8],)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first = s3.list_parts(**upload)
    assert (len(first["Parts"]), first["IsTruncated"], first["NextPartNumberMarker"]) == (1000, True, 1000)
    rest = s3.list_parts(**upload, PartNumberMarker=1000)
    assert [part["PartNumber"] for part in rest["Parts"]] == [1001, 10_000]
    assert not rest["IsTruncated"]
    s3.abort_multipart_upload(**upload)


def presigned():
    upload = dict(Bucket=bucket, Key="k", UploadId=s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"])

    def send(method, url, body=None):
        try:
            request = urllib.request.Request(url, data=body, method=method)
            request.add_header("Content-Type", "")
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    arguments = dict(**upload, PartNumber=1, ContentLength=4)
    url = s3.generate_presigned_url("upload_part", arguments, ExpiresIn=600)
    assert send("PUT", url, b"meow!")[0] == 403
    status, headers, _ = send("PUT", url, b"meow")
    assert status == 200, status
    part = {"PartNumber": 1, "ETag": headers["ETag"]}
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [part]})
    url = s3.generate_presigned_url("get_object", dict(Bucket=bucket, Key="k"), ExpiresIn=600)
    assert send("GET", url)[2] == b"meow"
    s3.delete_object(Bucket=bucket, Key="k")


for operation in [
    buckets,
    objects,
    lists,
    conditions,
    checksums,
    copies,
    multipart,
    multipart_refusals,
    many_parts_at_the_same_time,
    presigned,
]:
    print(operation.__name__, flush=True)
    operation()
