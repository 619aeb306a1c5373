/**
 * Files of an Uppy instance as photos of upload jobs: what the adapters for Uppy 5 and 6 share.
 *
 * A file's `meta` holds `uploadId`, `photoId`, `jobId` and `multipart`, which Golden Retriever restores after a reload.
 *
 * @module
 */
import { connect, Problem } from './api.js'

/**
 * @typedef {import('@uppy/core').Uppy<any, any>} Uppy
 * @typedef {import('@uppy/core').UppyFile<any, any>} UppyFile
 */

/**
 * A photo and what its upload needs; neither URL nor parts if the server wants no more bytes.
 *
 * @typedef {object} Item
 * @property {string} photoId
 * @property {string} jobId
 * @property {string} status
 * @property {string | null} presignedUrl
 * @property {Record<string, string>} headers Headers of the PUT.
 * @property {string | null} expiresAt
 * @property {{ partSize: number, partCount: number } | null} multipart
 */

/** Statuses of photos that ended without success. */
const UNSUCCESSFUL = ['FAILED', 'REJECTED', 'CANCELLED']

/** Time in milliseconds that a URL must still be valid for when its PUT begins: clocks differ. */
const MIN_VALIDITY = 60_000

/** The server has all bytes of a file already. */
class AlreadyUploaded extends Error {
  constructor() {
    super('The file is uploaded already.')
    this.name = 'AlreadyUploaded'
  }
}

/** A photo has ended, and not well. */
class Unsuccessful extends Error {
  /** @param {string} status @param {{ message: string }[]} reasons */
  constructor(status, reasons) {
    const details = reasons.map(({ message }) => message).join('; ')
    super(`The photo is ${status}${details && `: ${details}`}.`)
    this.name = 'Unsuccessful'
  }
}

/** Uploads of one Uppy instance. */
export class Uploads {
  #uppy
  #options
  /** @type {Map<string, Item>} */
  #items = new Map()
  /** Files whose upload failed although storage may have all their bytes. @type {Set<string>} */
  #doubtful = new Set()
  /** @type {Promise<Map<string, Item | Error>> | null} */
  #renewal = null
  /** @type {Promise<unknown>} */
  #cancellations = Promise.resolve()

  /**
   * @param {Uppy} uppy
   * @param {import('./api.js').Connection} connection
   * @param {{ strategy: string, partSize?: number }} options Members of each job's request.
   */
  constructor(uppy, connection, options) {
    this.#uppy = uppy
    this.#options = options
    /** Sends a request to the API. */
    this.call = connect(connection)
    uppy.addPreProcessor((ids) => this.#begin(ids))
    uppy.addPostProcessor((ids) => this.#resolveDoubts(ids))
    uppy.on('upload-success', (file) => {
      const item = file && this.#items.get(file.id)
      // Storage notifies the server as well, so that a report that gets lost does no harm.
      if (item?.presignedUrl) this.finalize(item.photoId).catch(() => {})
    })
    uppy.on('upload-error', (file, error) => {
      if (!file) return
      if (error instanceof AlreadyUploaded || storageStatus(error) === 412) this.#doubtful.add(file.id)
      // A retry uploads the file as another photo.
      if (error instanceof Unsuccessful) this.#uppy.setFileMeta(file.id, { uploadId: undefined })
    })
    uppy.on('file-removed', (file) => {
      if (!file.progress.uploadComplete) this.#cancel(file.meta.photoId)
      this.#items.delete(file.id)
      this.#doubtful.delete(file.id)
    })
  }

  /**
   * The item of a file whose bytes are about to be sent, with a URL that is valid for a while.
   *
   * @param {string} id Id of the file.
   * @returns {Promise<Item>}
   */
  async item(id) {
    const item = this.#items.get(id)
    if (item && isFresh(item)) return item
    // One request for all files: the URLs of a batch expire together, and a restored batch has none.
    this.#renewal ??= this.#declare(this.#awaitingUrls()).finally(() => (this.#renewal = null))
    const renewed = (await this.#renewal).get(id) ?? (await this.#declare([id])).get(id)
    if (renewed === undefined) throw new Error('The file was removed.')
    if (renewed instanceof Error) throw renewed
    return renewed
  }

  /**
   * Reports that all bytes are sent.
   *
   * @param {string} photoId
   * @param {{ partNumber?: number, eTag?: string }[]} [parts] All parts of a file that is sent in parts.
   */
  async finalize(photoId, parts) {
    const { status } = await this.call('POST', `/commands/upload/${photoId}/finalize`, parts && { parts })
    if (UNSUCCESSFUL.includes(status)) throw await this.#failure(photoId, status)
  }

  /** Declares the files of one press of "Upload" as one job. @param {string[]} ids */
  async #begin(ids) {
    const files = ids.map((id) => this.#uppy.getFile(id))
    const ready = files.filter((file) => file && !file.progress.uploadComplete && !file.error && file.data && !file.isRemote)
    for (const [id, outcome] of await this.#declare(ready.map((file) => file.id))) {
      const file = this.#uppy.getFile(id)
      if (outcome instanceof AlreadyUploaded) this.#succeed(file)
      else if (outcome instanceof Error) this.#uppy.emit('upload-error', file, outcome)
    }
  }

  /** Asks the server about files whose bytes storage has although their upload failed. @param {string[]} ids */
  async #resolveDoubts(ids) {
    for (const id of ids) {
      const file = this.#uppy.getFile(id)
      if (!this.#doubtful.delete(id) || !file?.error) continue
      try {
        await this.finalize(file.meta.photoId)
        this.#uppy.setFileState(id, { error: null })
        this.#succeed(file)
      } catch (error) {
        this.#uppy.emit('upload-error', file, asError(error))
      }
    }
    if (!this.#uppy.getFiles().some((file) => file.error)) this.#uppy.setState({ error: null })
  }

  /**
   * Declares files, so that each that is new belongs to one job. A repetition gives the same photos and fresh URLs. An
   * unacceptable file fails alone.
   *
   * @param {string[]} ids
   * @returns {Promise<Map<string, Item | Error>>} One outcome for each file that still exists.
   */
  async #declare(ids) {
    /** @type {Map<string, Item | Error>} */
    const outcomes = new Map()
    let remaining = ids
    for (;;) {
      const files = remaining.map((id) => this.#uppy.getFile(id)).filter(Boolean)
      if (files.length === 0) return outcomes
      try {
        const body = { ...this.#options, files: files.map((file) => this.#declaration(file)) }
        /** @type {{ items: Item[] }} */
        const { items } = await this.call('POST', '/commands/upload-jobs', body)
        for (const [index, { id }] of files.entries()) await this.#accept(id, items[index], outcomes)
        return outcomes
      } catch (thrown) {
        const error = asError(thrown)
        const refused = error instanceof Problem ? error.byFile() : new Map()
        if (refused.size === 0) {
          for (const { id } of files) outcomes.set(id, error)
          return outcomes
        }
        for (const [index, errors] of refused) {
          const { id } = files[index]
          // The file was edited after its declaration: it becomes another photo.
          if (errors[0].code === 'upload_id_reused') this.#uppy.setFileMeta(id, { uploadId: undefined })
          else outcomes.set(id, new Error(errors.map((/** @type {Error} */ { message }) => message).join('; ')))
        }
        remaining = files.map(({ id }) => id).filter((id) => !outcomes.has(id))
      }
    }
  }

  /** @param {UppyFile} file */
  #declaration(file) {
    const uploadId = file.meta.uploadId ?? crypto.randomUUID()
    this.#uppy.setFileMeta(file.id, { uploadId })
    return { filename: file.meta.name, mimeType: file.type, bytes: file.size, uploadId }
  }

  /**
   * @param {string} id
   * @param {Item} item
   * @param {Map<string, Item | Error>} outcomes
   */
  async #accept(id, item, outcomes) {
    const { photoId, jobId, status } = item
    if (!this.#uppy.getFile(id)) {
      this.#cancel(photoId)
      return
    }
    this.#items.set(id, item)
    this.#uppy.setFileMeta(id, { photoId, jobId, multipart: item.multipart !== null })
    if (UNSUCCESSFUL.includes(status)) outcomes.set(id, await this.#failure(photoId, status))
    else outcomes.set(id, item.presignedUrl || item.multipart ? item : new AlreadyUploaded())
  }

  /** @param {string} photoId @param {string} status */
  async #failure(photoId, status) {
    const { reasons } = await this.call('GET', `/queries/photos/${photoId}`).catch(() => ({ reasons: [] }))
    return new Unsuccessful(status, reasons)
  }

  /** Files of uploads in progress that have no URL, or one that expires soon. */
  #awaitingUrls() {
    const files = this.#uppy.getFiles().filter(({ id, data, error, progress }) => {
      const item = this.#items.get(id)
      return progress.uploadStarted && !progress.uploadComplete && !error && data && !(item && isFresh(item))
    })
    return files.map((file) => file.id)
  }

  /** @param {UppyFile} file */
  #succeed(file) {
    this.#uppy.emit('upload-success', file, { status: 200, body: { key: file.meta.photoId } })
  }

  /** One after the other, since requests have a rate limit. @param {string | undefined} photoId */
  #cancel(photoId) {
    if (photoId === undefined) return
    const request = () => this.call('DELETE', `/commands/photos/${photoId}`)
    this.#cancellations = this.#cancellations.then(request).catch((error) => this.#uppy.log(error, 'warning'))
  }
}

/** @param {Item} item */
function isFresh(item) {
  if (item.multipart) return true
  return item.expiresAt !== null && Date.parse(item.expiresAt) - Date.now() > MIN_VALIDITY
}

/** Status of storage's answer; each version of Uppy has its own place for it. @param {any} error */
function storageStatus(error) {
  return error?.status ?? error?.source?.status
}

/** @param {unknown} thrown */
function asError(thrown) {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
