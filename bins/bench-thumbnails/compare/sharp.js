// sharp: node sharp.js fastest|two|default [--out DIRECTORY] ITERATIONS FILE...
//
// fastest: one decode without colour management and without optimised Huffman tables, the small thumbnail from the large one
// two:     one pipeline per thumbnail, the usual way to use sharp; also without colour management
// default: one decode, with sharp's defaults otherwise
const fs = require('fs');
const path = require('path');
const sharp = require(path.join(process.env.SHARP_HOME, 'node_modules', 'sharp'));

const [mode, ...rest] = process.argv.slice(2);
const out = rest[0] === '--out' ? rest.splice(0, 2)[1] : null;
const [iterations, ...files] = rest;
sharp.concurrency(1);
sharp.cache(false);
sharp.simd(true);
const input = { ignoreIcc: mode !== 'default' };
const jpeg = { quality: 80, optimiseCoding: mode !== 'fastest' };
const inside = (pipeline, edge) => pipeline.resize(edge, edge, { fit: 'inside' });

async function thumbnails(file) {
  if (mode === 'two') {
    const both = [1024, 256].map((edge) => () => inside(sharp(file, input).rotate(), edge).jpeg(jpeg).toBuffer());
    return [await both[0](), await both[1]()];
  }
  const { data, info } = await inside(sharp(file, input).rotate(), 1024).raw().toBuffer({ resolveWithObject: true });
  const raw = { raw: { width: info.width, height: info.height, channels: info.channels } };
  return [
    await sharp(data, raw).jpeg(jpeg).toBuffer(),
    await inside(sharp(data, raw), 256).jpeg(jpeg).toBuffer(),
  ];
}

function cpu() {
  const usage = process.cpuUsage();
  return (usage.user + usage.system) / 1000;
}

(async () => {
  for (const file of files) {
    const stem = path.parse(file).name;
    let made;
    for (let warm = 0; warm < 2; warm++) made = await thumbnails(fs.readFileSync(file));
    if (out) {
      fs.mkdirSync(out, { recursive: true });
      [1024, 256].forEach((edge, index) => fs.writeFileSync(path.join(out, `${stem}.${edge}.jpg`), made[index]));
    }
    const start = cpu();
    for (let round = 0; round < iterations; round++) await thumbnails(fs.readFileSync(file));
    console.log(JSON.stringify({ file: stem, ms: (cpu() - start) / iterations }));
  }
})();
