/**
 * The zip container of PyTorch's files, read where it lies: the table of contents and every entry's own header are checked against
 * each other and against the file before any is used, and an entry's bytes are a view. APPNOTE.TXT of PKWARE, 4.3 and 4.5.
 */
import { damagedTorch, refusedTorch } from '../refusal.ts';
import { decodeLatin1 } from '../utf8.ts';
import { crc32 } from './zipCrc.ts';

export interface ZipEntry {
  readonly name: string;
  /** Of its data in the file. */
  readonly byteOffset: number;
  readonly byteLength: number;
  /** What a program that unpacks it should get. */
  readonly unpackedLength: number;
  readonly crc32: number;
  /** 0: stored as it is. */
  readonly method: number;
  readonly encrypted: boolean;
}

const signatures = {
  local: 0x04034b50,
  central: 0x02014b50,
  end: 0x06054b50,
  end64: 0x06064b50,
  locator64: 0x07064b50,
} as const;
const endLength = 22;
const locatorLength = 20;
const end64Length = 56;
const centralLength = 46;
const localLength = 30;
const maxComment = 0xffff;
const maxEntries = 100_000;
/** Of a name; they are shown to people. */
const maxNameLength = 1024;
const zip64Field = 0x0001;
const unknown32 = 0xffffffff;
const unknown16 = 0xffff;
/** Encrypted, strongly encrypted, names masked. */
const encryptedFlags = 0x1 | 0x40 | 0x2000;
const sizesFollowFlag = 0x8;

/** The entries of the zip file `bytes`, by name. Throws a Problem where the file is cut short, contradicts itself or is split. */
export function openZip(bytes: Uint8Array, file: string): ZipReader {
  return new ZipReader(bytes, file);
}

export class ZipReader {
  /** A name's bytes are taken as characters of those numbers: they are compared, never a path on this machine. */
  readonly entries: ReadonlyMap<string, ZipEntry>;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #file: string;

  constructor(bytes: Uint8Array, file: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#file = file;
    this.entries = this.#readEntries();
  }

  /** A view of the entry's bytes. Throws where they are not as they were written. */
  read(entry: ZipEntry): Uint8Array {
    const name = JSON.stringify(entry.name);
    if (entry.encrypted) {
      const remedy = 'Unpack it with its password and save the weights again with torch.save.';
      throw refusedTorch('bad-input', this.#file, `its part ${name} is encrypted`, remedy);
    }
    if (entry.method !== 0) {
      const remedy = 'torch.save never compresses: load it in Python and save it again with torch.save.';
      throw refusedTorch('bad-input', this.#file, `its part ${name} is compressed`, remedy);
    }
    if (entry.unpackedLength !== entry.byteLength) throw this.#damaged(`its part ${name} has two sizes`);
    const data = this.#bytes.subarray(entry.byteOffset, entry.byteOffset + entry.byteLength);
    // torch.serialization.set_crc32_options(False) leaves the checksums 0.
    if (entry.crc32 !== 0 && entry.crc32 !== crc32(data)) {
      throw this.#damaged(
        `its part ${name} was changed or damaged after it was saved (its checksum differs)`,
      );
    }
    return data;
  }

  #readEntries(): Map<string, ZipEntry> {
    const { count, begin, end } = this.#contents();
    if (count > maxEntries) throw this.#damaged(`it claims ${count} parts, more than ${maxEntries}`);
    const entries = new Map<string, ZipEntry>();
    const spans: { start: number; end: number; name: string }[] = [];
    let at = begin;
    for (let index = 0; index < count; index++) {
      const { entry, headerOffset, next } = this.#centralEntry(at, begin, end);
      if (entries.has(entry.name))
        throw this.#damaged(`its part ${JSON.stringify(entry.name)} is there twice`);
      entries.set(entry.name, entry);
      spans.push({ start: headerOffset, end: entry.byteOffset + entry.byteLength, name: entry.name });
      at = next;
    }
    if (at !== end) throw this.#damaged('its table of contents has another length than it claims', at);
    spans.sort((a, b) => a.start - b.start);
    spans.forEach(({ start, name }, index) => {
      if (index > 0 && start < spans[index - 1]!.end) {
        throw this.#damaged(
          `its parts ${JSON.stringify(spans[index - 1]!.name)} and ${JSON.stringify(name)} overlap`,
        );
      }
    });
    return entries;
  }

  /** Where the table of contents lies and how many entries it claims. */
  #contents(): { count: number; begin: number; end: number } {
    const end = this.#findEnd();
    const view = this.#view;
    const disks = [view.getUint16(end + 4, true), view.getUint16(end + 6, true)];
    const short = {
      countHere: view.getUint16(end + 8, true),
      count: view.getUint16(end + 10, true),
      length: view.getUint32(end + 12, true),
      begin: view.getUint32(end + 16, true),
    };
    const locator = end - locatorLength;
    const has64 = locator >= 0 && view.getUint32(locator, true) === signatures.locator64;
    const found = has64 ? this.#contents64(locator, short) : { ...short, end };
    const oneDisk = disks.every((disk) => disk === 0 || (has64 && disk === unknown16));
    if (!oneDisk || found.count !== found.countHere) throw this.#split();
    if (found.begin + found.length !== found.end) {
      throw this.#damaged('its table of contents is not where it claims to be', end);
    }
    return { count: found.count, begin: found.begin, end: found.end };
  }

  /** The record of the end: as far back as a comment allows, and its comment must reach exactly to the end of the file. */
  #findEnd(): number {
    const last = this.#bytes.length - endLength;
    for (let at = last; at >= 0 && at >= last - maxComment; at--) {
      if (this.#bytes[at] !== 0x50 || this.#view.getUint32(at, true) !== signatures.end) continue;
      if (at + this.#view.getUint16(at + 20, true) === last) return at;
    }
    throw this.#damaged('it ends before its table of contents, so the download or the copy was cut short');
  }

  #contents64(locator: number, short: { countHere: number; count: number; length: number; begin: number }) {
    const view = this.#view;
    const at = this.#u64(locator + 8);
    const disks = view.getUint32(locator + 16, true);
    if (view.getUint32(locator + 4, true) !== 0 || disks > 1) throw this.#split();
    this.#need(at, end64Length, 'its 64-bit end record', locator);
    if (view.getUint32(at, true) !== signatures.end64 || at + 12 + this.#u64(at + 4) !== locator) {
      throw this.#damaged('its 64-bit end record is not where it claims to be', at);
    }
    if (view.getUint32(at + 16, true) !== 0 || view.getUint32(at + 20, true) !== 0) throw this.#split();
    const long = {
      countHere: this.#u64(at + 24),
      count: this.#u64(at + 32),
      length: this.#u64(at + 40),
      begin: this.#u64(at + 48),
    };
    for (const key of ['countHere', 'count', 'length', 'begin'] as const) {
      const unknown = key === 'length' || key === 'begin' ? unknown32 : unknown16;
      if (short[key] !== long[key] && short[key] !== unknown) {
        throw this.#damaged('its two end records contradict each other', at);
      }
    }
    return { ...long, end: at };
  }

  #centralEntry(at: number, begin: number, end: number) {
    const view = this.#view;
    if (at + centralLength > end || view.getUint32(at, true) !== signatures.central) {
      throw this.#damaged('its table of contents is broken', at);
    }
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const next = at + centralLength + nameLength + extraLength + view.getUint16(at + 32, true);
    if (next > end || nameLength > maxNameLength) throw this.#damaged('its table of contents is broken', at);
    const name = decodeLatin1(this.#bytes, at + centralLength, at + centralLength + nameLength);
    const fields = {
      unpackedLength: view.getUint32(at + 24, true),
      byteLength: view.getUint32(at + 20, true),
      headerOffset: view.getUint32(at + 42, true),
      disk: view.getUint16(at + 34, true),
    };
    this.#widen(fields, at + centralLength + nameLength, extraLength);
    if (fields.disk !== 0) throw this.#split();
    const flags = view.getUint16(at + 8, true);
    const header = {
      name,
      flags,
      method: view.getUint16(at + 10, true),
      crc32: view.getUint32(at + 16, true),
      ...fields,
    };
    const byteOffset = this.#localData(header, begin);
    const { unpackedLength, byteLength, headerOffset, crc32, method } = header;
    const encrypted = (flags & encryptedFlags) !== 0;
    const entry: ZipEntry = { name, byteOffset, byteLength, unpackedLength, crc32, method, encrypted };
    return { entry, headerOffset, next };
  }

  /** Replaces the fields that are full with those of the zip64 extra field, which has only these, in this order. */
  #widen(
    fields: { unpackedLength: number; byteLength: number; headerOffset: number; disk: number },
    begin: number,
    length: number,
  ): void {
    const full = (['unpackedLength', 'byteLength', 'headerOffset'] as const).filter(
      (key) => fields[key] === unknown32,
    );
    if (full.length === 0) return;
    for (let at = begin; at + 4 <= begin + length; at += 4 + this.#view.getUint16(at + 2, true)) {
      if (this.#view.getUint16(at, true) !== zip64Field) continue;
      const size = this.#view.getUint16(at + 2, true);
      if (size < full.length * 8 || at + 4 + size > begin + length) break;
      full.forEach((key, index) => {
        fields[key] = this.#u64(at + 4 + index * 8);
      });
      return;
    }
    throw this.#damaged('an entry of 4 GB or more lacks its 64-bit sizes', begin);
  }

  /** Where the data begins: after the entry's own header, which must say what the table of contents says. */
  #localData(
    entry: Omit<ZipEntry, 'byteOffset' | 'encrypted'> & { flags: number; headerOffset: number },
    contentsBegin: number,
  ): number {
    const at = entry.headerOffset;
    const which = `its part ${JSON.stringify(entry.name)}`;
    if (at + localLength > contentsBegin) throw this.#damaged(`${which} lies outside the file`, at);
    const view = this.#view;
    if (view.getUint32(at, true) !== signatures.local)
      throw this.#damaged(`${which} is not where it should be`, at);
    const nameEnd = at + localLength + view.getUint16(at + 26, true);
    const start = nameEnd + view.getUint16(at + 28, true);
    if (start + entry.byteLength > contentsBegin) throw this.#damaged(`${which} lies outside the file`, at);
    const flags = view.getUint16(at + 6, true);
    const sizes = [view.getUint32(at + 18, true), view.getUint32(at + 22, true)] as const;
    const agrees =
      flags === entry.flags &&
      view.getUint16(at + 8, true) === entry.method &&
      decodeLatin1(this.#bytes, at + localLength, nameEnd) === entry.name &&
      ((flags & sizesFollowFlag) !== 0 ||
        (sameSize(sizes[0], entry.byteLength) && sameSize(sizes[1], entry.unpackedLength)));
    if (!agrees) throw this.#damaged(`${which} contradicts the table of contents`, at);
    return start;
  }

  #u64(at: number): number {
    // Beyond 2^53 it is no longer exact, but then it is far outside any file, which is all that is asked of it.
    return Number(this.#view.getBigUint64(at, true));
  }

  #need(at: number, length: number, what: string, from: number): void {
    if (at + length > this.#bytes.length) throw this.#damaged(`${what} lies outside the file`, from);
  }

  #split() {
    const remedy = 'Put its pieces together first, or save it again with torch.save.';
    return refusedTorch('bad-input', this.#file, 'it is one piece of a split archive', remedy);
  }

  #damaged(reason: string, byteOffset?: number) {
    return damagedTorch(this.#file, byteOffset === undefined ? reason : `${reason} (byte ${byteOffset})`);
  }
}

/** A size in an entry's own header: 32 bits, full where the real one needs 64. */
function sameSize(short: number, real: number): boolean {
  return short === real || short === unknown32;
}
