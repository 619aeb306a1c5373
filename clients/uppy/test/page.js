// The page under test: Uppy as published with the adapter of its version. Bundled by support.js; tests call its functions.
import AwsS3 from '@uppy/aws-s3'
import Uppy from '@uppy/core'
import GoldenRetriever from '@uppy/golden-retriever'
import { rapidPhoto } from 'adapter'

window.start = ({ api, token, staleToken, partSize, limit = 6, remember = false }) => {
  const uppy = new Uppy({ id: 'photos' })
  window.uppy = uppy
  if (remember) uppy.use(GoldenRetriever)
  const current = (refused) => (refused ? token : (staleToken ?? token))
  uppy.use(AwsS3, { ...rapidPhoto(uppy, { api, token: current, ...(partSize && { partSize }) }), limit })
}

window.add = async (name, seed, bytes, type) => {
  const photo = await fetch(`/photo?seed=${seed}&bytes=${bytes}`)
  window.uppy.addFile({ name, type, data: await photo.blob() })
}

const summary = (file) => ({ name: file.name, error: file.error ?? null, key: file.response?.body?.key, meta: file.meta })

window.upload = async (how = 'upload') => {
  const { successful, failed } = await window.uppy[how]()
  return { successful: successful.map(summary), failed: failed.map(summary), error: window.uppy.getState().error }
}

/** Goes on with the files that Golden Retriever has restored, until all are uploaded. */
window.goOn = () =>
  new Promise((resolve) => {
    window.uppy.on('upload-success', () => {
      const files = window.uppy.getFiles()
      if (files.every(({ progress }) => progress.uploadComplete)) resolve(files.map(summary))
    })
    window.uppy.emit('restore-confirmed')
  })

const stored = (request) => new Promise((resolve) => (request.onsuccess = () => resolve(request.result)))

/** True as soon as Golden Retriever has stored a declared file and its bytes: it writes with a delay. */
window.remembered = async () => {
  const records = [...Object.values(localStorage)]
  for (const { name } of await indexedDB.databases()) {
    const database = await stored(indexedDB.open(name))
    for (const store of database.objectStoreNames) {
      records.push(...(await stored(database.transaction(store).objectStore(store).getAll())))
    }
    database.close()
  }
  return records.some(({ data }) => data instanceof Blob) && JSON.stringify(records).includes('photoId')
}
