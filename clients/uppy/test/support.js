// Fixtures: the server with its storage behind a proxy, a page on another origin, Chromium, users and photos.
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { access, mkdtemp, readFile, rm } from 'node:fs/promises'
import http from 'node:http'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const here = path.dirname(fileURLToPath(import.meta.url))

/** Directories that hold node_modules; scripts/test installs them outside the checkout. */
export const installed = {
  6: process.env.UPPY6_PACKAGES ?? path.join(here, '..'),
  5: process.env.UPPY5_PACKAGES ?? path.join(here, 'uppy5'),
}
const require = createRequire(path.join(installed[6], 'package.json'))
const { chromium } = require('playwright-core')
const esbuild = require('esbuild')

/** A server, a page and a browser for the tests of one file. */
export class Stage {
  #closers = []

  static async open({ uppy, settings = {} }) {
    const stage = new Stage()
    try {
      await stage.#open(uppy, settings)
    } catch (error) {
      await stage.close()
      throw error
    }
    return stage
  }

  async #open(uppy, settings) {
    const pages = await listen(pageHandler(await bundle(uppy)))
    this.#closers.push(() => pages.close())
    this.storage = await StorageProxy.open()
    this.#closers.push(() => this.storage.close())
    const server = await startServer(pages.url, this.storage.url, settings)
    this.#closers.push(server.stop)
    this.storage.target = server.storage
    this.api = server.api
    this.origin = pages.url
    this.browser = await chromium.launch({ executablePath: await browserPath(), args: ['--no-sandbox'] })
    this.#closers.push(() => this.browser.close())
  }

  async close() {
    for (const close of this.#closers.reverse()) await close()
  }

  /** A page in a fresh browser profile whose user is logged in; `options` are those of `start` in page.js. */
  async visit(options = {}) {
    this.storage.reset()
    const credentials = { email: `ada-${randomUUID()}@example.org`, password: 'correct horse battery' }
    await request('POST', `${this.api}/commands/auth/register`, credentials)
    const { accessToken } = await request('POST', `${this.api}/commands/auth/login`, credentials)
    const context = await this.browser.newContext()
    const page = await context.newPage()
    const visit = new Visit(this.api, accessToken, page, { api: this.api, token: accessToken, ...options })
    await page.goto(this.origin)
    await visit.start()
    return visit
  }
}

/** A user on a page. */
class Visit {
  /** Statuses of the answers to the creation of jobs. */
  jobs = []
  #api
  #token
  #options

  constructor(api, token, page, options) {
    this.#api = api
    this.#token = token
    this.#options = options
    this.page = page
    page.on('response', (response) => {
      if (response.request().method() === 'POST' && response.url().endsWith('/commands/upload-jobs')) this.jobs.push(response.status())
    })
  }

  start() {
    return this.page.evaluate((options) => window.start(options), this.#options)
  }

  /** Adds a photo, different for each seed. */
  add(name, seed, bytes = 200_000, type = 'image/jpeg') {
    return this.page.evaluate((photo) => window.add(...photo), [name, seed, bytes, type])
  }

  upload(how) {
    return this.page.evaluate((name) => window.upload(name), how)
  }

  /** Goes on with restored files. */
  goOn() {
    return this.page.evaluate(() => window.goOn())
  }

  photo(photoId) {
    return request('GET', `${this.#api}/queries/photos/${photoId}`, undefined, this.#token)
  }

  /** Waits until the photo has ended. */
  async ended(photoId) {
    for (;;) {
      const photo = await this.photo(photoId)
      if (['COMPLETED', 'REJECTED', 'FAILED', 'CANCELLED'].includes(photo.status)) return photo
      await sleep(50)
    }
  }

  /** Pauses or resumes the file. */
  pauseResume(name) {
    return this.#withFile(name, (file) => window.uppy.pauseResume(file.id))
  }

  remove(name) {
    return this.#withFile(name, (file) => window.uppy.removeFile(file.id))
  }

  /** Lets Uppy forget that the file is uploaded, as if the page had missed the answer; only its first `bytes` are left, if given. */
  forgetUpload(name, bytes) {
    return this.#withFile(
      name,
      `({ id, progress, data }) => {
        const kept = data.slice(0, ${bytes ?? 'data.size'}, data.type)
        const reset = { ...progress, uploadStarted: null, uploadComplete: false, complete: false }
        window.uppy.setFileState(id, { data: kept, size: kept.size, progress: reset })
      }`,
    )
  }

  /** Closes the page and opens it again, where Golden Retriever restores the files. */
  async reload() {
    await until(() => this.page.evaluate(() => window.remembered()))
    await this.page.reload()
    await this.start()
    await until(() => this.page.evaluate(() => window.uppy.getFiles()[0]?.data?.size > 0))
  }

  /** `meta` of a file in Uppy's state. */
  meta(name) {
    return this.#withFile(name, (file) => file.meta)
  }

  #withFile(name, action) {
    const found = `window.uppy.getFiles().find((file) => file.name === ${JSON.stringify(name)})`
    return this.page.evaluate(`(${action})(${found})`)
  }
}

/** Forwards to the storage. A test decides what becomes of each PUT. */
class StorageProxy {
  static async open() {
    const proxy = new StorageProxy()
    const server = await listen((incoming, answer) => proxy.#handle(incoming, answer))
    proxy.url = server.url
    proxy.close = () => server.close()
    return proxy
  }

  reset() {
    /** All PUTs, in the order of their beginning. */
    this.puts = []
    /** Called with the index of each PUT: 'forward', 'lose' the answer, or a promise to wait for before it is forwarded. */
    this.decide = () => 'forward'
    /** Called when storage has answered a PUT, before the page gets the answer. */
    this.beforeAnswer = undefined
  }

  /** Statuses of storage's answers to the PUTs; null for those that were interrupted. */
  get statuses() {
    return this.puts.map(({ status }) => status)
  }

  async #handle(incoming, answer) {
    const put = { url: new URL(incoming.url, this.url), status: null, closed: false }
    answer.on('close', () => (put.closed = !answer.writableFinished))
    let decision = 'forward'
    if (incoming.method === 'PUT') {
      this.puts.push(put)
      decision = this.decide(this.puts.length - 1)
    }
    try {
      // The body is read at once, as only then Node notices that the page closes the connection.
      const body = Buffer.concat(await incoming.toArray())
      await decision
      if (put.closed) return
      const { method, headers } = incoming
      const forwarded = http.request(this.target + incoming.url, { method, headers }).end(body)
      const [response] = await once(forwarded, 'response')
      put.status = response.statusCode
      if (incoming.method === 'PUT') await this.beforeAnswer?.()
      if (decision === 'lose') answer.destroy()
      else response.pipe(answer.writeHead(response.statusCode, response.headers))
    } catch {
      answer.destroy()
    }
  }
}

async function startServer(origin, storageUrl, settings) {
  const home = await mkdtemp(path.join(tmpdir(), 'rapidphoto-uppy-'))
  const storage = `127.0.0.1:${await freePort()}`
  const child = spawn(
    process.env.RAPIDPHOTO,
    ['serve', '--data-dir', path.join(home, 'data'), '--listen', '127.0.0.1:0', '--s3-listen', storage, '--s3-public-url', storageUrl, '--allow-origin', origin],
    {
      env: {
        ...process.env,
        RAPIDPHOTO_WORK__LOOK_PAUSE: '200ms',
        RAPIDPHOTO_WORK__POLL: '200ms',
        RAPIDPHOTO_LIMITS__JOBS_PER_MINUTE: '1000',
        RAPIDPHOTO_LOG__FILTER: 'warn',
        ...settings,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const exited = once(child, 'exit')
  const [line] = await Promise.race([
    once(createInterface(child.stdout), 'line'),
    exited.then(([code]) => Promise.reject(new Error(`the server exited with ${code}`))),
  ])
  const stop = async () => {
    child.kill('SIGTERM')
    await exited
    await rm(home, { recursive: true })
  }
  return { api: JSON.parse(line).api, storage: `http://${storage}`, stop }
}

async function bundle(uppy) {
  const built = await esbuild.build({
    stdin: { contents: await readFile(path.join(here, 'page.js'), 'utf8'), resolveDir: installed[uppy] },
    alias: { adapter: path.join(here, `../src/uppy${uppy}.js`) },
    bundle: true,
    write: false,
    logLevel: 'warning',
  })
  return built.outputFiles[0].text
}

function pageHandler(script) {
  return async (incoming, answer) => {
    const { pathname, searchParams } = new URL(incoming.url, 'http://page')
    if (pathname === '/photo') {
      answer.setHeader('Content-Type', 'image/jpeg')
      answer.end(await jpeg(searchParams.get('seed'), Number(searchParams.get('bytes'))))
    } else {
      answer.setHeader('Content-Type', 'text/html; charset=utf-8')
      answer.end(`<!doctype html><title>Uppy</title><script>${script.replaceAll('</script', '<\\/script')}</script>`)
    }
  }
}

/** A JPEG of about this many bytes, filled up by comments that repeat the seed. With the seed "broken", its end is missing. */
export async function jpeg(seed, bytes) {
  const photo = await readFile(path.join(here, '../../../scripts/fixtures/photo.jpg'))
  const segments = [photo.subarray(0, 2)]
  for (let missing = Math.max(bytes - photo.length, 1000); missing > 0; missing -= 65_000) {
    const comment = Buffer.alloc(Math.min(missing, 65_000), `seed ${seed} `)
    const head = Buffer.from([0xff, 0xfe, 0, 0])
    head.writeUInt16BE(comment.length + 2, 2)
    segments.push(head, comment)
  }
  return Buffer.concat([...segments, photo.subarray(2, seed === 'broken' ? 8000 : undefined)])
}

async function browserPath() {
  const directories = (process.env.PATH ?? '').split(path.delimiter)
  for (const name of ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']) {
    for (const directory of directories) {
      const candidate = path.join(directory, name)
      if (await access(candidate).then(() => true, () => false)) return candidate
    }
  }
  throw new Error('Chromium is required; scripts/test installs it')
}

async function listen(handler) {
  const server = http.createServer(handler)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const close = async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  return { url: `http://127.0.0.1:${server.address().port}`, close }
}

async function freePort() {
  const server = await listen(() => {})
  await server.close()
  return Number(new URL(server.url).port)
}

async function request(method, url, body, token) {
  const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) }
  const response = await fetch(url, { method, headers, body: body && JSON.stringify(body) })
  const answer = await response.json()
  if (!response.ok) throw new Error(`${method} ${url}: ${JSON.stringify(answer)}`)
  return answer
}

export const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Waits until the condition holds; the test's time limit ends it otherwise. */
export async function until(condition) {
  while (!(await condition())) await sleep(20)
}

/** A promise that `open` resolves. */
export function gate() {
  let open
  const passed = new Promise((resolve) => (open = resolve))
  return { passed, open }
}
