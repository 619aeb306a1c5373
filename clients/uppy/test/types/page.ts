// Uses the package as a page in TypeScript does. Checked against both versions of Uppy.
import AwsS3 from '@uppy/aws-s3'
import Uppy from '@uppy/core'
import { rapidPhoto } from './adapter.js'

const uppy = new Uppy()
uppy.use(AwsS3, rapidPhoto(uppy, { api: 'https://photos.example.org', token: async (refused) => (refused ? 'new' : 'current') }))
