/**
 * Adapter for Uppy 6: options for `@uppy/aws-s3` that send each file by one signed PUT.
 *
 * @module
 */
import { Uploads } from './uploads.js'

/**
 * Options for `uppy.use(AwsS3, …)`.
 *
 * Each press of "Upload" creates one job. While a file is uploaded, and afterwards, its `meta.photoId` and `meta.jobId` identify
 * it in the API.
 *
 * @param {import('@uppy/core').Uppy<any, any>} uppy
 * @param {import('./api.js').Connection} connection
 */
export function rapidPhoto(uppy, connection) {
  const uploads = new Uploads(uppy, connection, { strategy: 's3-presigned' })
  return {
    shouldUseMultipart: false,
    /** @param {{ id: string }} file */
    generateObjectKey: (file) => file.id,
    /** @param {{ key: string }} request */
    async signRequest({ key }) {
      const { presignedUrl, headers, photoId } = await uploads.item(key)
      if (!presignedUrl) throw new Error('This server takes files in parts only, which needs the adapter for Uppy 5.')
      return { url: presignedUrl, headers, key: photoId }
    },
  }
}
