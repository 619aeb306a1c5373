/**
 * Requests to RapidPhotoUpload's API.
 *
 * @module
 */

/**
 * @typedef {object} Connection
 * @property {string} api Base URL of the API, such as `https://photos.example.org`.
 * @property {(refused: boolean) => string | Promise<string>} token Returns the access token. Called for each request, and once
 *   more with `true` if the API has refused that token: refresh it then.
 */

/** Attempts of a request that a rate limit, an overloaded server or the network prevents. */
const ATTEMPTS = 5

/** Longest wait between two attempts, in milliseconds. A longer `Retry-After` is reported as an error. */
const MAX_WAIT = 60_000

/** @param {number} milliseconds */
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** A refused request: `application/problem+json`. */
export class Problem extends Error {
  /**
   * @param {number} status HTTP status.
   * @param {{ code?: string, detail?: string, errors?: { pointer?: string, code: string, message: string }[] }} body
   */
  constructor(status, body) {
    super(body.detail ?? `The server answered with status ${status}.`)
    this.name = 'Problem'
    this.status = status
    this.code = body.code ?? ''
    this.errors = body.errors ?? []
  }

  /**
   * The errors of each file of a refused job, by the file's index.
   *
   * @returns {Map<number, { code: string, message: string }[]>}
   */
  byFile() {
    const files = new Map()
    for (const error of this.errors) {
      const index = /^\/files\/(\d+)\//.exec(error.pointer ?? '')?.[1]
      if (index !== undefined) files.set(Number(index), [...(files.get(Number(index)) ?? []), error])
    }
    return files
  }
}

/**
 * Returns a function that sends a JSON request and returns the body of its answer. Only requests that can be repeated without
 * another effect are sent with it, since it tries again after lost answers.
 *
 * @param {Connection} connection
 * @returns {(method: string, path: string, body?: unknown) => Promise<any>}
 */
export function connect({ api, token }) {
  const base = api.replace(/\/+$/, '')

  /** @param {string} method @param {string} path @param {unknown} body @param {boolean} refused */
  const send = async (method, path, body, refused) => {
    const headers = new Headers({ authorization: `Bearer ${await token(refused)}` })
    if (body !== undefined) headers.set('content-type', 'application/json')
    return fetch(base + path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      // A cancellation outlives the page that requests it.
      keepalive: method === 'DELETE',
    })
  }

  return async (method, path, body) => {
    for (let attempt = 1; ; attempt += 1) {
      let wait = 250 * 2 ** attempt
      /** @type {Error} */
      let error
      try {
        let response = await send(method, path, body, false)
        if (response.status === 401) response = await send(method, path, body, true)
        if (response.ok) return await response.json()
        error = new Problem(response.status, await response.json().catch(() => ({})))
        if (response.status !== 429 && response.status < 500) throw error
        wait = Math.max(wait, 1000 * Number(response.headers.get('retry-after') ?? 0))
      } catch (thrown) {
        // `fetch` throws a TypeError if the network fails.
        if (!(thrown instanceof TypeError)) throw thrown
        error = thrown
      }
      if (attempt === ATTEMPTS || wait > MAX_WAIT) throw error
      await sleep(wait)
    }
  }
}
