/**
 * Files of torch.save (the zip format, PyTorch 1.6 and later): which dictionary of tensors inside is the weights, and its tensors,
 * each read when it is asked for. Names stay as in the file.
 */
import { type FloatType, readFloats } from '../float.ts';
import { refuseForeignZip } from '../foreignFile.ts';
import { damagedTorch, refusedTorch } from '../refusal.ts';
import { checkFinite, type OtherTensor, type StoredTensor } from '../storedTensor.ts';
import { decodeLatin1 } from '../utf8.ts';
import { readPickle } from './pickle.ts';
import type { PickleValue } from './pickleValue.ts';
import { chooseStateDict, someOf } from './stateDict.ts';
import { gather, isFloatType, type StridedTensor, stridedTensorOf, tensorCallOf } from './torchTensor.ts';
import { openZip, type ZipEntry, type ZipReader } from './zip.ts';

export interface OpenTorchFile {
  /** In the order of the dictionary. */
  readonly tensors: StoredTensor[];
  readonly others: OtherTensor[];
  readonly notes: string[];
}

/** Of the container, as PyTorch counts them; torch.save writes 3. */
const newestVersion = 10;

/** The weights in a file of torch.save. Throws a Problem that says what is wrong and what to do. `file` names the file in messages. */
export function openTorchFile(bytes: Uint8Array, file: string): OpenTorchFile {
  const zip = openZip(bytes, file);
  const folder = folderOf(zip, file);
  checkByteOrder(zip, folder, file);
  checkVersion(zip, folder, file);
  const pickle = readPickle(zip.read(zip.entries.get(`${folder}data.pkl`)!), file);
  const chosen = chooseStateDict(pickle, file);
  const storages = new Storages(zip, folder, file);
  const tensors: StoredTensor[] = [];
  const others: OtherTensor[] = [];
  const skipped: string[] = [];
  let unfolded = 0;
  for (const [key, value] of chosen.entries) {
    const call = tensorCallOf(value);
    if (typeof key !== 'string' || !call) {
      skipped.push(typeof key === 'string' ? key : typeof key);
      continue;
    }
    const name = checkedName(key, file);
    const tensor = call.kind === 'strided' ? stridedTensor(name, call.args, file) : null;
    const entry = tensor && storages.entryOf(tensor, name);
    if (tensor && entry && isFloatType(tensor.type.name)) {
      tensors.push(storedTensor(name, tensor, tensor.type.name, () => storages.bytesOf(entry), file));
      unfolded += 4 * Math.max(tensor.count, tensor.contiguous ? 0 : tensor.span);
    } else if (tensor) others.push({ name, dtype: tensor.type.name, shape: tensor.shape });
    else if (call.kind === 'other') others.push({ name, dtype: call.what, shape: [] });
  }
  checkUnfolded(unfolded, bytes.length, file);
  const passedOver = skipped.length > 0 ? [`Passed over, being no tensors: ${someOf(skipped)}.`] : [];
  return { tensors, others, notes: [...chosen.notes, ...passedOver] };
}

/** The folder all parts of the archive lie in, with its slash: what precedes `data.pkl`. */
function folderOf(zip: ZipReader, file: string): string {
  const names = [...zip.entries.keys()];
  const pickles = names.filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  refuseForeignZip(names, pickles.length > 0, file);
  if (pickles.length > 1) throw damagedTorch(file, `it has ${pickles.length} times a data.pkl`);
  return pickles[0]!.slice(0, -'data.pkl'.length);
}

function checkByteOrder(zip: ZipReader, folder: string, file: string): void {
  const order = textOf(zip, `${folder}byteorder`);
  if (order === null || order === 'little') return;
  if (order !== 'big') throw damagedTorch(file, `its byte order ${JSON.stringify(order)} is not known`);
  throw refusedTorch(
    'bad-input',
    file,
    'its numbers are big-endian, as a mainframe or an old PowerPC writes them',
    'Load it with torch.load on an ordinary computer and save it again there with torch.save.',
  );
}

function checkVersion(zip: ZipReader, folder: string, file: string): void {
  const text = textOf(zip, `${folder}version`) ?? textOf(zip, `${folder}.data/version`);
  if (text === null) return;
  if (!/^[0-9]{1,6}\n?$/.test(text))
    throw damagedTorch(file, `its version ${JSON.stringify(text)} is not a number`);
  if (Number(text) <= newestVersion) return;
  throw refusedTorch(
    'newer-version',
    file,
    `it has version ${Number(text)}, and only versions up to ${newestVersion} are known`,
    'Save the weights as safetensors instead, or update Boxwright.',
  );
}

/** A short text in the archive, or null where there is none. */
function textOf(zip: ZipReader, name: string): string | null {
  const entry = zip.entries.get(name);
  if (!entry) return null;
  const bytes = zip.read(entry);
  return decodeLatin1(bytes, 0, Math.min(bytes.length, 64));
}

/** No network's names are longer, and they are shown to people. */
const maxNameLength = 512;

function checkedName(name: string, file: string): string {
  if (name.length <= maxNameLength) return name;
  throw damagedTorch(file, `the name of a tensor has ${name.length} characters`);
}

function stridedTensor(name: string, args: readonly PickleValue[], file: string): StridedTensor {
  const tensor = stridedTensorOf(args);
  if (typeof tensor === 'string')
    throw damagedTorch(file, `of its tensor ${JSON.stringify(name)}, ${tensor}`);
  return tensor;
}

function storedTensor(
  name: string,
  tensor: StridedTensor,
  dtype: FloatType,
  storage: () => Uint8Array,
  file: string,
): StoredTensor {
  const read = () => {
    const values = readStrided(storage(), tensor, dtype);
    checkFinite(name, values, file);
    return values;
  };
  return { name, shape: tensor.shape, dtype, read };
}

function readStrided(storage: Uint8Array, tensor: StridedTensor, dtype: FloatType): Float32Array {
  const { offset, span, shape, strides, count, type, contiguous } = tensor;
  const values = readFloats(storage, offset * type.bytes, span, dtype);
  return contiguous ? values : gather(values, shape, strides, count);
}

/** The storages of an archive: described by the pickle, lying in `data/`, each checked once. */
class Storages {
  readonly #zip: ZipReader;
  readonly #folder: string;
  readonly #file: string;
  readonly #described = new Map<string, string>();
  readonly #bytes = new Map<ZipEntry, Uint8Array>();

  constructor(zip: ZipReader, folder: string, file: string) {
    this.#zip = zip;
    this.#folder = folder;
    this.#file = file;
  }

  /** Where the tensor's storage lies. Throws where it is missing, or not as long as the pickle says, or said to be two things. */
  entryOf({ storage }: StridedTensor, name: string): ZipEntry {
    const which = `the storage ${JSON.stringify(storage.key)} of its tensor ${JSON.stringify(name)}`;
    const entry = this.#zip.entries.get(`${this.#folder}data/${storage.key}`);
    if (!entry) throw damagedTorch(this.#file, `${which} is missing`);
    const claimed = storage.length * BigInt(storage.type?.bytes ?? 1);
    if (BigInt(entry.byteLength) !== claimed) {
      throw damagedTorch(this.#file, `${which} has ${entry.byteLength} bytes where ${claimed} are promised`);
    }
    const description = storage.type?.name ?? 'bytes';
    const before = this.#described.get(storage.key) ?? description;
    if (before !== description)
      throw damagedTorch(this.#file, `${which} is said to be ${before} and ${description}`);
    this.#described.set(storage.key, description);
    return entry;
  }

  /** Its bytes, checked when first asked for. */
  bytesOf(entry: ZipEntry): Uint8Array {
    const bytes = this.#bytes.get(entry) ?? this.#zip.read(entry);
    this.#bytes.set(entry, bytes);
    return bytes;
  }
}

/** Room for half-precision files and tensors that share a storage, not for a few bytes that claim to be gigabytes. */
function checkUnfolded(unfolded: number, fileBytes: number, file: string): void {
  if (unfolded <= 4 * fileBytes + 64 * 1024 * 1024) return;
  throw damagedTorch(file, `its tensors would unfold to ${unfolded} bytes out of ${fileBytes}`);
}
