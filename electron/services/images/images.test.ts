import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { problemOfAsync, scratchFolder } from '../../../test/durability/testProject.ts';
import { readUprightRgb8 } from './decode.ts';
import { readDerivative } from './derivatives.ts';
import { byName, listImageFiles, openableImagePath } from './files.ts';
import { hashFile, probeImage } from './probe.ts';
import { DecodeQueue } from './queue.ts';

/** 6 x 4 px: the left half red, the right half blue, the top left pixel green. */
const raw = Uint8Array.from({ length: 6 * 4 * 3 }, (_, at) => {
  const [x, channel] = [Math.floor(at / 3) % 6, at % 3];
  if (at < 3) return channel === 1 ? 255 : 0;
  return (x < 3 ? channel === 0 : channel === 2) ? 255 : 0;
});
const picture = () => sharp(raw, { raw: { width: 6, height: 4, channels: 3 } });

async function save(name: string, bytes: Uint8Array | string, folder = scratchFolder()): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

const pixel = (image: { widthPx: number; bytes: Uint8Array }, x: number, y: number) => [
  ...image.bytes.subarray((y * image.widthPx + x) * 3, (y * image.widthPx + x) * 3 + 3),
];

describe('formats', () => {
  it.each([
    ['jpeg', () => picture().jpeg()],
    ['png', () => picture().png()],
    ['webp', () => picture().webp({ lossless: true })],
    ['avif', () => picture().avif({ lossless: true })],
    ['gif', () => picture().gif()],
    ['tiff', () => picture().tiff()],
  ] as const)('reads %s whatever its name says', async (format, encoded) => {
    const path = await save('photo.jpg', await encoded().toBuffer());
    expect(await probeImage(path)).toEqual({ widthPx: 6, heightPx: 4, format });
    const image = await readUprightRgb8(path);
    expect([image.widthPx, image.heightPx, image.bytes.length]).toEqual([6, 4, 72]);
    expect(pixel(image, 5, 3)[2]).toBeGreaterThan(200);
    expect(pixel(image, 5, 3)[0]).toBeLessThan(60);
  });

  it('turns the image as EXIF says, in its size and in its pixels', async () => {
    const corners = await Promise.all(
      [1, 2, 3, 4, 5, 6, 7, 8].map(async (orientation) => {
        const path = await save('turned.png', await picture().withMetadata({ orientation }).png().toBuffer());
        const probe = await probeImage(path);
        const image = await readUprightRgb8(path);
        expect([image.widthPx, image.heightPx]).toEqual([probe.widthPx, probe.heightPx]);
        const [right, bottom] = [image.widthPx - 1, image.heightPx - 1];
        const places = {
          topLeft: [0, 0],
          topRight: [right, 0],
          bottomRight: [right, bottom],
          bottomLeft: [0, bottom],
        };
        const green = Object.entries(places).find(([, [x, y]]) => pixel(image, x!, y!)[1] === 255);
        return [probe.widthPx, probe.heightPx, green?.[0]];
      }),
    );
    // Where the stored top left pixel comes to lie, by the EXIF standard.
    expect(corners).toEqual([
      [6, 4, 'topLeft'],
      [6, 4, 'topRight'],
      [6, 4, 'bottomRight'],
      [6, 4, 'bottomLeft'],
      [4, 6, 'topLeft'],
      [4, 6, 'topRight'],
      [4, 6, 'bottomRight'],
      [4, 6, 'bottomLeft'],
    ]);
  });

  it('brings grey, 16 bits, CMYK and transparency to 8-bit sRGB', async () => {
    const flat = (background: object, channels: 3 | 4 = 3) =>
      sharp({ create: { width: 2, height: 2, channels, background } });
    const grey = await save(
      'grey.png',
      await flat({ r: 90, g: 90, b: 90 }).toColourspace('b-w').png().toBuffer(),
    );
    expect(pixel(await readUprightRgb8(grey), 0, 0)).toEqual([90, 90, 90]);

    const deep = await flat({ r: 255, g: 128, b: 0 }).toColourspace('rgb16').png().toBuffer();
    expect((await sharp(deep).metadata()).depth).toBe('ushort');
    expect(pixel(await readUprightRgb8(await save('deep.png', deep)), 1, 1)).toEqual([255, 128, 0]);

    const half = await flat({ r: 0, g: 0, b: 0, alpha: 0.5 }, 4).png().toBuffer();
    const [value] = pixel(await readUprightRgb8(await save('half.png', half)), 0, 0);
    expect(Math.abs(value! - 127)).toBeLessThanOrEqual(1);

    const cmyk = await flat({ r: 255, g: 0, b: 0 }).toColourspace('cmyk').jpeg().toBuffer();
    expect((await sharp(cmyk).metadata()).space).toBe('cmyk');
    const [red, green] = pixel(await readUprightRgb8(await save('cmyk.jpg', cmyk)), 0, 0);
    expect(red! - green!).toBeGreaterThan(120);
  });

  it('takes the first frame of an animation', async () => {
    const frames = Uint8Array.from({ length: 2 * 8 * 3 }, (_, at) => (at < 12 * 2 ? 255 : 0));
    const gif = await sharp(frames, { raw: { width: 2, height: 8, channels: 3, pageHeight: 4 } })
      .gif({ delay: [10, 10] })
      .toBuffer();
    expect((await sharp(gif).metadata()).pages).toBe(2);
    const path = await save('moving.gif', gif);
    expect(await probeImage(path)).toMatchObject({ widthPx: 2, heightPx: 4 });
    expect(pixel(await readUprightRgb8(path), 1, 3)).toEqual([255, 255, 255]);
  });
});

describe('bad files', () => {
  it.each([
    ['text.jpg', 'this is no photo at all', 'text.jpg is a text file.'],
    ['empty.png', '', 'empty.png is empty (0 bytes).'],
    ['drawing.png', '<svg xmlns="http://www.w3.org/2000/svg"/>', 'drawing.png is an XML or SVG text.'],
    ['junk.webp', Buffer.from([0, 1, 2, 3, 4, 5, 6]), 'junk.webp is no image that Boxwright knows.'],
    ['phone.heic', Buffer.from('\0\0\0\x18ftypheic\0\0\0\0', 'latin1'), 'phone.heic is a HEIC photo.'],
  ])('names %s and says what it is', async (name, bytes, message) => {
    const problem = await problemOfAsync(probeImage(await save(name, bytes)));
    expect([problem.kind, problem.message]).toEqual(['bad-input', message]);
    expect(problem.remedy).not.toBe('');
  });

  it('names a file that is not there, and a folder in its place', async () => {
    const folder = scratchFolder();
    expect((await problemOfAsync(probeImage(join(folder, 'gone.png')))).kind).toBe('not-found');
    mkdirSync(join(folder, 'folder.png'));
    expect((await problemOfAsync(probeImage(join(folder, 'folder.png')))).message).toContain('folder.png');
  });

  it.each(['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const)(
    'finds a %s that is cut off',
    async (format) => {
      const noise = await sharp({
        create: {
          width: 300,
          height: 200,
          channels: 3,
          background: '#888',
          noise: { type: 'gaussian', mean: 128, sigma: 40 },
        },
      })
        .toFormat(format)
        .toBuffer();
      const path = await save(`cut.${format}`, noise.subarray(0, Math.floor(noise.length * 0.6)));
      const problem = await problemOfAsync(readUprightRgb8(path));
      expect(problem.kind).toBe('bad-input');
      expect(problem.message).toMatch(/^cut\.\w+ (is cut off|cannot be decoded)/);
    },
  );

  it('keeps an image with bytes after its end', async () => {
    const jpeg = await picture().jpeg().toBuffer();
    const path = await save('camera.jpg', Buffer.concat([jpeg, Buffer.alloc(20_000, 7)]));
    expect(await probeImage(path)).toMatchObject({ widthPx: 6, heightPx: 4 });
  });

  it('refuses an image bomb by its header, without decoding it', async () => {
    const path = await save('bomb.png', pngOfZeros(30_000, 30_000));
    const before = process.memoryUsage.rss();
    const problem = await problemOfAsync(probeImage(path));
    expect(problem.message).toBe(
      'bomb.png is too large: 30000 x 30000 is 900 megapixels, the limit is 100 megapixels.',
    );
    expect((await problemOfAsync(readUprightRgb8(path))).kind).toBe('bad-input');
    const cache = scratchFolder();
    expect((await problemOfAsync(readDerivative(path, 'ab', cache, 'thumb'))).kind).toBe('bad-input');
    expect(process.memoryUsage.rss() - before).toBeLessThan(50 * 1024 * 1024);
  });

  it('refuses a file that announces more pixels than it has', async () => {
    const png = await picture().png().toBuffer();
    png.writeUInt32BE(60_000, 16);
    expect((await problemOfAsync(readUprightRgb8(await save('lie.png', png)))).kind).toBe('bad-input');
  });
});

describe('derivatives', () => {
  it('sends what a browser shows as it is, and scales and turns the rest', async () => {
    const cache = scratchFolder();
    const plain = await save('plain.png', await picture().png().toBuffer());
    const shown = await readDerivative(plain, 'aa11', cache, 'display');
    expect(shown).toMatchObject({ mime: 'image/png', widthPx: 6, heightPx: 4 });
    expect(Buffer.from(shown.bytes)).toEqual(await readFile(plain));

    const turned = await picture().resize(600, 400).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    const path = await save('turned.jpg', turned);
    expect(await readDerivative(path, 'bb22', cache, 'display')).toMatchObject({
      ...{ mime: 'image/jpeg', widthPx: 400, heightPx: 600 },
    });
    expect(await readDerivative(path, 'bb22', cache, 'thumb')).toMatchObject({ widthPx: 171, heightPx: 256 });
    const wide = await save('wide.png', await picture().resize(5000, 100, { fit: 'fill' }).png().toBuffer());
    expect(await readDerivative(wide, 'cc33', cache, 'display')).toMatchObject({
      widthPx: 4096,
      heightPx: 82,
    });
  });

  it('answers from the cache, and mends a cached file that a crash cut off', async () => {
    const cache = scratchFolder();
    const path = await save('photo.tif', await picture().tiff().toBuffer());
    const [first, second] = await Promise.all([
      readDerivative(path, 'dd44', cache, 'thumb'),
      readDerivative(path, 'dd44', cache, 'thumb'),
    ]);
    expect(second.bytes).toEqual(first.bytes);
    const cached = join(cache, 'thumb', 'dd', 'dd44.jpg');
    expect(new Uint8Array(await readFile(cached))).toEqual(first.bytes);
    await writeFile(cached, first.bytes.subarray(0, 30));
    expect((await readDerivative(path, 'dd44', cache, 'thumb')).bytes).toEqual(first.bytes);
    await writeFile(path, 'the original is gone');
    expect((await readDerivative(path, 'dd44', cache, 'thumb')).bytes).toEqual(first.bytes);
  });

  it('shows the image even where the cache cannot be written', async () => {
    const notAFolder = await save('cache', 'x');
    const path = await save('photo.tif', await picture().tiff().toBuffer());
    expect(await readDerivative(path, 'ee55', notAFolder, 'thumb')).toMatchObject({ widthPx: 6 });
  });
});

describe('folders', () => {
  it('lists images sorted as people count, and passes over what is none', async () => {
    const folder = scratchFolder();
    mkdirSync(join(folder, 'b'));
    mkdirSync(join(folder, '.hidden'));
    const png = await picture().png().toBuffer();
    for (const name of [
      'image10.png',
      'image2.png',
      'b/image1.PNG',
      '.hidden/x.png',
      'noExtension',
      '.dot.png',
    ]) {
      writeFileSync(join(folder, name), png);
    }
    for (const name of ['labels.txt', 'README', 'broken.jpg']) writeFileSync(join(folder, name), 'text');
    const names: string[] = [];
    for await (const file of listImageFiles(folder)) names.push(file.relativePath);
    expect(names).toEqual(['b/image1.PNG', 'broken.jpg', 'image2.png', 'image10.png', 'noExtension']);
    expect(['b', 'A', 'a10', 'a9'].sort(byName)).toEqual(['A', 'a9', 'a10', 'b']);
  });

  it('passes over what a project keeps for itself', async () => {
    const folder = scratchFolder();
    for (const name of ['cache', 'runs', 'images']) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'a.png'), 'x');
    }
    writeFileSync(join(folder, 'project.db'), '');
    const names: string[] = [];
    for await (const file of listImageFiles(folder)) names.push(file.relativePath);
    expect(names).toEqual(['images/a.png']);
  });

  it.skipIf(process.platform === 'win32')('follows no link out of the folder', async () => {
    const [folder, outside] = [scratchFolder(), scratchFolder()];
    writeFileSync(join(outside, 'secret.png'), 'x');
    writeFileSync(join(folder, 'real.png'), 'x');
    symlinkSync(join(outside, 'secret.png'), join(folder, 'leak.png'));
    symlinkSync(join(folder, 'real.png'), join(folder, 'same.png'));
    symlinkSync(outside, join(folder, 'way-out'));
    const [names, problems]: [string[], string[]] = [[], []];
    const onProblem = (problem: { file: string; kind: string }) =>
      problems.push(`${problem.file}: ${problem.kind}`);
    for await (const file of listImageFiles(folder, { onProblem })) names.push(file.relativePath);
    expect([names, problems]).toEqual([['real.png', 'same.png'], ['leak.png: forbidden']]);
    const leak = openableImagePath(folder, join(folder, 'leak.png'));
    expect((await problemOfAsync(leak)).kind).toBe('forbidden');
    const climbing = openableImagePath(folder, join(folder, '..', '..', 'etc', 'hosts'));
    expect(['forbidden', 'not-found']).toContain((await problemOfAsync(climbing)).kind);
  });

  it.skipIf(process.platform === 'win32')('does not wait for a pipe that bears an image’s name', async () => {
    const folder = scratchFolder();
    execFileSync('mkfifo', [join(folder, 'pipe.png')]);
    const problem = await problemOfAsync(probeImage(join(folder, 'pipe.png')));
    expect(problem).toMatchObject({ kind: 'bad-input', message: expect.stringContaining('is no file') });
  });

  it('names a folder that cannot be read', async () => {
    const list = listImageFiles(join(scratchFolder(), 'gone')).next();
    expect((await problemOfAsync(list)).message).toContain('There is no folder');
  });
});

it('hashes a file by its bytes', async () => {
  const path = await save('abc.bin', 'abc');
  expect(await hashFile(path)).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

it('lets what a person waits for pass before training, and training before the rest', async () => {
  const queue = new DecodeQueue(2);
  const order: string[] = [];
  const gates: (() => void)[] = [];
  const work = (name: string) => () =>
    new Promise<void>((done) => {
      order.push(name);
      gates.push(done);
    });
  const all = ['b1', 'b2'].map((name) => queue.run('background', work(name)));
  all.push(...['t1', 't2'].map((name) => queue.run('training', work(name))));
  all.push(...['i1', 'i2'].map((name) => queue.run('interactive', work(name))));
  // Of two places the others take one; the last is for the one who waits.
  expect(order).toEqual(['b1', 'i1']);
  for (let round = 0; round < 6; round++) {
    gates[round]!();
    await new Promise((resolve) => setTimeout(resolve));
  }
  await Promise.all(all);
  expect(order).toEqual(['b1', 'i1', 'i2', 't1', 't2', 'b2']);
});

/** A grey PNG of zeros, valid to the last byte and a thousand times smaller than its pixels. */
function pngOfZeros(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 0, 0, 0, 0], 8);
  // One row compressed is enough for the header to be believed; the rest is never asked for.
  const rows = deflateSync(Buffer.alloc(width + 1));
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', rows),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
