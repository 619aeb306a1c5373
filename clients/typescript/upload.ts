// Uploads a photo with the client that openapi-typescript generates, and waits until it is completed.
//
//   node build/upload.js API FILE

import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import createClient from "openapi-fetch";

import type { components, paths } from "./build/api.js";

type JobItem = components["schemas"]["JobItem"];

const [api, file] = process.argv.slice(2);
if (api === undefined || file === undefined) throw new Error("usage: node build/upload.js API FILE");

const client = createClient<paths>({ baseUrl: api });

/** Data of a response, or an error with the problem's code. */
function data<T>(response: { data?: T; error?: unknown; response: Response }): T {
  if (response.data !== undefined) return response.data;
  throw new Error(`${response.response.status}: ${JSON.stringify(response.error)}`);
}

async function logIn(): Promise<void> {
  const body = { email: `ada-${Date.now()}@example.org`, password: "correct horse battery" };
  data(await client.POST("/commands/auth/register", { body }));
  const { accessToken } = data(await client.POST("/commands/auth/login", { body }));
  client.use({
    onRequest({ request }) {
      request.headers.set("Authorization", `Bearer ${accessToken}`);
      return request;
    },
  });
}

async function declare(path: string, bytes: number): Promise<JobItem> {
  const job = data(
    await client.POST("/commands/upload-jobs", {
      body: { files: [{ filename: basename(path), mimeType: "image/jpeg", bytes }] },
    }),
  );
  const [item] = job.items;
  if (item === undefined) throw new Error("the job has no item");
  return item;
}

await logIn();
const content = await readFile(file);
const { jobId, photoId, presignedUrl, headers } = await declare(file, content.length);
if (typeof presignedUrl !== "string") throw new Error("the item has no URL");
const put = await fetch(presignedUrl, { method: "PUT", headers: headers ?? {}, body: content });
// 412: an earlier request has uploaded the file.
if (!put.ok && put.status !== 412) throw new Error(`PUT: ${put.status}`);

for (;;) {
  const job = data(
    await client.GET("/queries/upload-jobs/{jobId}", { params: { path: { jobId } } }),
  );
  if (job.pollAfterMs === 0) {
    if (job.status !== "COMPLETED") throw new Error(`the job ended as ${job.status}`);
    break;
  }
  await sleep(job.pollAfterMs);
}
const photo = data(
  await client.GET("/queries/photos/{photoId}", { params: { path: { photoId } } }),
);
if (photo.status !== "COMPLETED" || photo.thumbnails.length !== 2) {
  throw new Error(`the photo is ${photo.status}`);
}
console.log(`${photo.filename}: ${photo.status}, ${photo.width}×${photo.height}`);
