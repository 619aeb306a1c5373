import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { gate, sleep, Stage, until } from './support.js'

// Generous: debug builds on busy machines are slow.
const timeout = 120_000

describe('Uppy 6', () => {
  let stage
  before(async () => {
    stage = await Stage.open({ uppy: 6 })
  }, { timeout })
  after(() => stage?.close())

  test('one press of upload is one job, whose photos complete', { timeout }, async () => {
    const visit = await stage.visit()
    for (let seed = 0; seed < 8; seed += 1) await visit.add(`photo-${seed}.jpg`, seed)
    const { successful, failed } = await visit.upload()
    assert.deepEqual(failed, [])
    assert.equal(successful.length, 8)
    assert.deepEqual(visit.jobs, [201])
    assert.deepEqual(stage.storage.statuses, Array(8).fill(200))
    assert.equal(new Set(successful.map(({ meta }) => meta.jobId)).size, 1)
    for (const { key, meta } of successful) {
      assert.equal(key, meta.photoId)
      assert.equal((await visit.ended(key)).status, 'COMPLETED')
    }
  })

  test('a refused file fails alone, with the reason', { timeout }, async () => {
    const visit = await stage.visit()
    await visit.add('first.jpg', 1)
    await visit.add('notes.txt', 2)
    await visit.add('last.jpg', 3)
    const { successful, failed } = await visit.upload()
    assert.deepEqual(successful.map(({ name }) => name), ['first.jpg', 'last.jpg'])
    assert.deepEqual(failed.map(({ name }) => name), ['notes.txt'])
    assert.match(failed[0].error, /txt|jpg/)
    assert.deepEqual(visit.jobs, [422, 201])
  })

  test('pause aborts the PUT, and resume sends the file again', { timeout }, async () => {
    const visit = await stage.visit()
    await visit.add('paused.jpg', 4, 3_000_000)
    const { passed, open } = gate()
    stage.storage.decide = (index) => (index === 0 ? passed : 'forward')
    const uploading = visit.upload()
    await until(() => stage.storage.puts.length === 1)
    await visit.pauseResume('paused.jpg')
    await until(() => stage.storage.puts[0].closed)
    open()
    await visit.pauseResume('paused.jpg')
    const { successful } = await uploading
    assert.deepEqual(stage.storage.statuses, [null, 200])
    assert.equal((await visit.ended(successful[0].key)).status, 'COMPLETED')
  })

  test('a reload during a PUT goes on with the same photo', { timeout }, async () => {
    const visit = await stage.visit({ remember: true })
    await visit.add('restored.jpg', 5, 3_000_000)
    const { passed, open } = gate()
    stage.storage.decide = (index) => (index === 0 ? passed : 'forward')
    visit.upload().catch(() => {})
    await until(() => stage.storage.puts.length === 1)
    const { photoId } = await visit.meta('restored.jpg')
    await visit.reload()
    await until(() => stage.storage.puts[0].closed)
    open()
    const files = await visit.goOn()
    assert.equal(files[0].key, photoId)
    assert.deepEqual(stage.storage.statuses, [null, 200])
    assert.equal((await visit.ended(photoId)).status, 'COMPLETED')
    // The repetition made no second job.
    assert.deepEqual(visit.jobs, [201, 200])
  })

  test('a reload after a PUT whose answer was not awaited sends nothing again', { timeout }, async () => {
    const visit = await stage.visit({ remember: true })
    await visit.add('restored.jpg', 10)
    const { passed, open } = gate()
    stage.storage.decide = () => passed
    visit.upload().catch(() => {})
    await until(() => stage.storage.puts.length === 1)
    const { photoId } = await visit.meta('restored.jpg')
    const reloaded = gate()
    stage.storage.beforeAnswer = () => visit.reload().then(reloaded.open)
    open()
    await reloaded.passed
    await visit.ended(photoId)
    const files = await visit.goOn()
    assert.equal(files[0].key, photoId)
    assert.deepEqual(stage.storage.statuses, [200])
  })

  test('a PUT whose answer was lost is found by its repetition', { timeout }, async () => {
    const visit = await stage.visit()
    await visit.add('lost.jpg', 6)
    await visit.add('other.jpg', 7)
    const lost = new Set()
    stage.storage.decide = (index) => {
      const { pathname } = stage.storage.puts[index].url
      if (lost.size > 0) return 'forward'
      lost.add(pathname)
      return 'lose'
    }
    const { successful, failed, error } = await visit.upload()
    assert.deepEqual(failed, [])
    assert.equal(error, null)
    assert.equal(successful.length, 2)
    const statuses = stage.storage.puts.filter(({ url }) => lost.has(url.pathname)).map(({ status }) => status)
    assert.deepEqual(statuses, [200, 412])
    for (const { meta } of successful) assert.equal((await visit.ended(meta.photoId)).status, 'COMPLETED')
  })

  test('an access token that is refused is asked for again', { timeout }, async () => {
    const visit = await stage.visit({ staleToken: 'expired' })
    await visit.add('photo.jpg', 11)
    const { failed } = await visit.upload()
    assert.deepEqual(failed, [])
    assert.deepEqual(visit.jobs, [401, 201])
  })

  test('a removed file is cancelled, and the others complete', { timeout }, async () => {
    const visit = await stage.visit({ limit: 1 })
    await visit.add('kept.jpg', 8)
    await visit.add('removed.jpg', 9)
    const { passed, open } = gate()
    stage.storage.decide = (index) => (index === 0 ? passed : 'forward')
    const uploading = visit.upload()
    await until(() => stage.storage.puts.length === 1)
    const { photoId } = await visit.meta('removed.jpg')
    await visit.remove('removed.jpg')
    open()
    const { successful } = await uploading
    assert.deepEqual(successful.map(({ name }) => name), ['kept.jpg'])
    assert.equal((await visit.ended(photoId)).status, 'CANCELLED')
    assert.equal((await visit.ended(successful[0].key)).status, 'COMPLETED')
    // Files that are done stay when they are removed from the page.
    await visit.page.evaluate(() => window.uppy.cancelAll())
    assert.equal((await visit.photo(successful[0].key)).status, 'COMPLETED')
  })

  test('a photo that was rejected meanwhile is no success', { timeout }, async () => {
    const visit = await stage.visit()
    await visit.add('broken.jpg', 'broken')
    const { successful } = await visit.upload()
    assert.equal((await visit.ended(successful[0].key)).status, 'REJECTED')
    await visit.forgetUpload('broken.jpg')
    const { failed } = await visit.upload()
    assert.match(failed[0].error, /^The photo is REJECTED: ./)
    assert.equal(stage.storage.puts.length, 1)
    const again = await visit.upload()
    assert.notEqual(again.successful[0].key, successful[0].key)
  })

  test('a file that was edited after its declaration becomes another photo', { timeout }, async () => {
    const visit = await stage.visit()
    await visit.add('edited.jpg', 12)
    const first = await visit.upload()
    await visit.forgetUpload('edited.jpg', 100_000)
    const second = await visit.upload()
    assert.deepEqual(second.failed, [])
    assert.notEqual(second.successful[0].key, first.successful[0].key)
    assert.deepEqual(visit.jobs, [201, 422, 201])
  })
})

describe('Uppy 6 with URLs that expire soon', () => {
  let stage
  before(async () => {
    stage = await Stage.open({ uppy: 6, settings: { RAPIDPHOTO_UPLOADS__URL_LIFETIME: '6s' } })
  }, { timeout })
  after(() => stage?.close())

  test('an upload that is resumed after the expiry of its URL gets another one', { timeout }, async () => {
    const visit = await stage.visit()
    await visit.add('paused.jpg', 1, 3_000_000)
    const { passed, open } = gate()
    stage.storage.decide = (index) => (index === 0 ? passed : 'forward')
    const uploading = visit.upload()
    await until(() => stage.storage.puts.length === 1)
    await visit.pauseResume('paused.jpg')
    await until(() => stage.storage.puts[0].closed)
    open()
    await sleep(7000)
    await visit.pauseResume('paused.jpg')
    const { successful, failed } = await uploading
    assert.deepEqual(failed, [])
    assert.deepEqual(stage.storage.statuses, [null, 200])
    assert.equal((await visit.ended(successful[0].key)).status, 'COMPLETED')
  })
})
