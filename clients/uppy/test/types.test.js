import { execFile } from 'node:child_process'
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { installed } from './support.js'

const run = promisify(execFile)
const here = path.dirname(fileURLToPath(import.meta.url))

let directory
before(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'rapidphoto-uppy-types-'))
})
after(() => rm(directory, { recursive: true }))

for (const version of [5, 6]) {
  test(`the package's types fit those of Uppy ${version}`, async () => {
    const project = path.join(directory, `uppy${version}`)
    await cp(path.join(here, '../src'), path.join(project, 'src'), { recursive: true })
    await cp(path.join(here, '../tsconfig.json'), path.join(project, 'tsconfig.json'))
    await cp(path.join(here, 'types/page.ts'), path.join(project, 'src/page.ts'))
    await writeFile(path.join(project, 'src/adapter.js'), `export { rapidPhoto } from './uppy${version}.js'\n`)
    await writeFile(path.join(project, 'package.json'), '{ "type": "module" }')
    await symlink(path.join(installed[version], 'node_modules'), path.join(project, 'node_modules'))
    const tsc = path.join(installed[6], 'node_modules/.bin/tsc')
    await run(tsc, ['--project', project]).catch(({ stdout }) => Promise.reject(new Error(stdout)))
  })
}
