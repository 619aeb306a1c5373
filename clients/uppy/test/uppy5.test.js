import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { gate, sleep, Stage, until } from './support.js'

// Generous: debug builds on busy machines are slow.
const timeout = 120_000

const MiB = 1024 * 1024

describe('Uppy 5', () => {
  let stage
  before(async () => {
    stage = await Stage.open({ uppy: 5, settings: { RAPIDPHOTO_UPLOADS__URL_LIFETIME: '6s' } })
  }, { timeout })
  after(() => stage?.close())

  /** Statuses of storage's answers by part number. */
  const parts = () => {
    const statuses = {}
    for (const { url, status } of stage.storage.puts) (statuses[url.searchParams.get('partNumber')] ??= []).push(status)
    return statuses
  }

  test('one press of upload is one job, of single PUTs and of parts', { timeout }, async () => {
    const visit = await stage.visit()
    await visit.add('small.jpg', 1)
    await visit.add('large.jpg', 2, 18 * MiB)
    const { successful, failed } = await visit.upload()
    assert.deepEqual(failed, [])
    assert.equal(successful.length, 2)
    assert.deepEqual(visit.jobs, [201])
    // Parts of 8 MiB.
    assert.deepEqual(parts(), { null: [200], 1: [200], 2: [200], 3: [200] })
    for (const { meta } of successful) assert.equal((await visit.ended(meta.photoId)).status, 'COMPLETED')
  })

  test('pause and resume send each part once', { timeout }, async () => {
    const visit = await stage.visit({ limit: 1, partSize: 5 * MiB })
    await visit.add('paused.jpg', 3, 12 * MiB)
    const { passed, open } = gate()
    stage.storage.decide = (index) => (index === 1 ? passed : 'forward')
    const uploading = visit.upload()
    await until(() => stage.storage.puts.length === 2)
    await visit.pauseResume('paused.jpg')
    await until(() => stage.storage.puts[1].closed)
    open()
    await visit.pauseResume('paused.jpg')
    const { failed } = await uploading
    assert.deepEqual(failed, [])
    assert.deepEqual(parts(), { 1: [200], 2: [null, 200], 3: [200] })
    const { photoId } = await visit.meta('paused.jpg')
    assert.equal((await visit.ended(photoId)).status, 'COMPLETED')
  })

  test('a reload in the middle sends only the parts that are missing', { timeout }, async () => {
    const visit = await stage.visit({ limit: 1, partSize: 5 * MiB, remember: true })
    await visit.add('restored.jpg', 4, 12 * MiB)
    const { passed, open } = gate()
    stage.storage.decide = (index) => (index === 1 ? passed : 'forward')
    visit.upload().catch(() => {})
    await until(() => stage.storage.puts.length === 2)
    const { photoId } = await visit.meta('restored.jpg')
    await visit.reload()
    await until(() => stage.storage.puts[1].closed)
    open()
    await visit.goOn()
    assert.deepEqual(parts(), { 1: [200], 2: [null, 200], 3: [200] })
    assert.equal((await visit.meta('restored.jpg')).photoId, photoId)
    assert.equal((await visit.ended(photoId)).status, 'COMPLETED')
    assert.deepEqual(visit.jobs, [201])
  })

  test('a reload after the completion sends nothing again', { timeout }, async () => {
    const visit = await stage.visit({ remember: true, partSize: 5 * MiB })
    await visit.add('complete.jpg', 5, 7 * MiB)
    // The page is closed before it gets the answer.
    const { passed, open } = gate()
    await visit.page.route('**/finalize', async (route) => {
      await route.fetch()
      await passed
      await route.abort().catch(() => {})
    })
    visit.upload().catch(() => {})
    await until(() => stage.storage.puts.length === 2)
    const { photoId } = await visit.meta('complete.jpg')
    await visit.ended(photoId)
    await visit.reload()
    open()
    await visit.page.unroute('**/finalize')
    await visit.goOn()
    assert.deepEqual(parts(), { 1: [200], 2: [200] })
  })

  test('a refused file fails alone, with the reason', { timeout }, async () => {
    const visit = await stage.visit()
    await visit.add('notes.txt', 6)
    await visit.add('large.jpg', 7, 6 * MiB)
    const { successful, failed } = await visit.upload()
    assert.deepEqual(successful.map(({ name }) => name), ['large.jpg'])
    assert.deepEqual(failed.map(({ name }) => name), ['notes.txt'])
    assert.match(failed[0].error, /txt|jpg/)
  })

  test('a lost answer to a part is repeated', { timeout }, async () => {
    const visit = await stage.visit({ limit: 1, partSize: 5 * MiB })
    await visit.add('lost.jpg', 8, 7 * MiB)
    stage.storage.decide = (index) => (index === 0 ? 'lose' : 'forward')
    const { failed } = await visit.upload()
    assert.deepEqual(failed, [])
    assert.deepEqual(parts(), { 1: [200, 200], 2: [200] })
    assert.equal((await visit.ended((await visit.meta('lost.jpg')).photoId)).status, 'COMPLETED')
  })

  test('a single PUT whose answer was lost is found by a retry', { timeout }, async () => {
    const visit = await stage.visit()
    await visit.add('lost.jpg', 9)
    stage.storage.decide = (index) => (index === 0 ? 'lose' : 'forward')
    const first = await visit.upload()
    // Chromium may repeat the request by itself.
    const last = first.failed.length === 0 ? first : await visit.upload('retryAll')
    assert.deepEqual(last.failed, [])
    const { photoId } = await visit.meta('lost.jpg')
    assert.equal((await visit.ended(photoId)).status, 'COMPLETED')
    assert.equal(stage.storage.statuses.filter((status) => status === 200).length, 1)
  })

  test('URLs that expired during a pause are renewed', { timeout }, async () => {
    const visit = await stage.visit({ limit: 1, partSize: 5 * MiB })
    await visit.add('paused.jpg', 10, 7 * MiB)
    const { passed, open } = gate()
    stage.storage.decide = (index) => (index === 0 ? passed : 'forward')
    const uploading = visit.upload()
    await until(() => stage.storage.puts.length === 1)
    await visit.pauseResume('paused.jpg')
    await until(() => stage.storage.puts[0].closed)
    open()
    await sleep(7000)
    await visit.pauseResume('paused.jpg')
    const { failed } = await uploading
    assert.deepEqual(failed, [])
    assert.deepEqual(parts(), { 1: [null, 200], 2: [200] })
  })

  test('a removed file is cancelled', { timeout }, async () => {
    const visit = await stage.visit({ limit: 1, partSize: 5 * MiB })
    await visit.add('removed.jpg', 11, 12 * MiB)
    const { passed, open } = gate()
    stage.storage.decide = (index) => (index === 1 ? passed : 'forward')
    visit.upload()
    await until(() => stage.storage.puts.length === 2)
    const { photoId } = await visit.meta('removed.jpg')
    await visit.page.evaluate(() => window.uppy.cancelAll())
    open()
    assert.equal((await visit.ended(photoId)).status, 'CANCELLED')
  })
})
