// tus-js-client, as a browser or Node would use it: sends stdin, or its first part, and prints where the upload is.
//
//   node tus_js.mjs FOLDER_WITH_NODE_MODULES '{"endpoint" | "uploadUrl", "metadata", "headers", "stopAfter"}' < bytes
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const [folder, told] = process.argv.slice(2)
const tus = createRequire(`${folder}/`)('tus-js-client')
const { stopAfter, ...options } = JSON.parse(told)

const upload = new tus.Upload(readFileSync(0), {
  ...options,
  chunkSize: 100_000,
  retryDelays: null,
  onChunkComplete: (_, sent) => {
    if (stopAfter && sent >= stopAfter) upload.abort().then(() => console.log(upload.url))
  },
  onSuccess: () => console.log(upload.url),
  onError: (error) => {
    console.error(String(error))
    process.exit(1)
  },
})
upload.start()
