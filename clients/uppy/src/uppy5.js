/**
 * Adapter for Uppy 5: options for `@uppy/aws-s3` 5 that send files of more than 5 MiB in parts, so that an interrupted upload goes
 * on where it ended.
 *
 * @module
 */
import { Problem } from './api.js'
import { Uploads } from './uploads.js'

/**
 * @typedef {import('@uppy/core').UppyFile<any, any>} UppyFile
 * @typedef {{ PartNumber?: number, ETag?: string }} Part
 * @typedef {{ key: string }} PartedUpload Its key is the photo's id.
 */

/** Default size of parts in bytes. */
const PART_SIZE = 8 * 1024 * 1024

/** Stands for the ETag of a part whose file is complete already. */
const COMPLETE = 'complete'

/**
 * Options for `uppy.use(AwsS3, …)`.
 *
 * Each press of "Upload" creates one job. While a file is uploaded, and afterwards, its `meta.photoId` and `meta.jobId` identify
 * it in the API.
 *
 * @param {import('@uppy/core').Uppy<any, any>} uppy
 * @param {import('./api.js').Connection & { partSize?: number }} connection `partSize`: size of all parts but the last, in bytes;
 *   5 MiB to 5 GiB, default 8 MiB. It must stay the same while uploads are interrupted.
 */
export function rapidPhoto(uppy, { partSize = PART_SIZE, ...connection }) {
  const uploads = new Uploads(uppy, connection, { strategy: 'auto', partSize })
  return {
    /** @param {UppyFile} file */
    shouldUseMultipart: (file) => file.meta.multipart === true,
    getChunkSize: () => partSize,

    /** @param {UppyFile} file */
    async getUploadParameters(file) {
      const { presignedUrl, headers } = await uploads.item(file.id)
      return { method: /** @type {const} */ ('PUT'), url: presignedUrl ?? '', headers }
    },

    /** @param {UppyFile} file */
    async createMultipartUpload(file) {
      const { photoId } = await uploads.item(file.id)
      return { uploadId: photoId, key: photoId }
    },

    /** @param {UppyFile} _file @param {PartedUpload & { partNumber: number }} part */
    async signPart(_file, { key, partNumber }) {
      const { parts } = await uploads.call('POST', `/commands/upload/${key}/parts`, { partNumbers: [partNumber] })
      return { url: parts[0].presignedUrl }
    },

    /** @param {UppyFile} file @param {PartedUpload} upload @returns {Promise<Part[]>} */
    async listParts(file, { key }) {
      try {
        const { parts } = await uploads.call('GET', `/queries/upload/${key}/parts`)
        return parts.map((/** @type {{ partNumber: number, eTag: string }} */ part) => ({
          PartNumber: part.partNumber,
          ETag: part.eTag,
        }))
      } catch (error) {
        // No part is missing, and `completeMultipartUpload` learns what became of the photo.
        if (!(error instanceof Problem && error.code === 'upload_ended')) throw error
        const count = Math.ceil((file.size ?? 0) / partSize)
        return Array.from({ length: count }, (_, index) => ({ PartNumber: index + 1, ETag: COMPLETE }))
      }
    },

    /** @param {UppyFile} _file @param {PartedUpload & { parts: Part[] }} upload */
    async completeMultipartUpload(_file, { key, parts }) {
      const known = parts.map(({ PartNumber, ETag }) => ({ partNumber: PartNumber, eTag: ETag }))
      await uploads.finalize(key, known.some(({ eTag }) => eTag === COMPLETE) ? undefined : known)
      return { location: `${connection.api}/queries/photos/${key}` }
    },

    /** Does nothing: Uppy 5 calls it after errors, too. A file that is removed is cancelled by the shared code. */
    async abortMultipartUpload() {},
  }
}
