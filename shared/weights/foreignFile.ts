/** Files that are no weights we read, known by how they begin: each is refused with what to do instead. */
import { Problem } from '../domain/problem.ts';
import { nothingLoaded } from './refusal.ts';
import { decodeLatin1 } from './utf8.ts';

interface Foreign {
  readonly looks: (head: string, bytes: Uint8Array) => boolean;
  /** Completes "w.pth is …". */
  readonly is: string;
  readonly remedy: string;
}

const downloadAgain = 'Download the file itself, not the page about it, and open that.';
const exportState = 'torch.save(model.state_dict(), "weights.pth")';

const foreign: readonly Foreign[] = [
  {
    looks: (_, bytes) => bytes.length === 0,
    is: 'an empty file',
    remedy: 'Copy or download it again.',
  },
  {
    // The number 0x1950a86a20f9469cfc6c in a pickle of its own, which older PyTorch begins every file with.
    looks: (head, bytes) => isPickle(bytes) && head.startsWith('\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19', 2),
    is: 'in the old format of PyTorch (before 1.6)',
    remedy:
      'Convert it in Python with a current PyTorch: torch.save(torch.load("old.pth"), "new.pth"). Then open new.pth.',
  },
  {
    looks: (_, bytes) => isPickle(bytes),
    is: 'a bare Python pickle (as detectron2 publishes its models), not a file of torch.save',
    remedy:
      'Convert it in Python, if you trust it: d = pickle.load(open("model.pkl", "rb"), encoding="latin1"), then torch.save({k: torch.as_tensor(v) for k, v in d.get("model", d).items()}, "model.pth").',
  },
  {
    looks: (head) => head.startsWith('version https://git-lfs'),
    is: 'a placeholder of Git LFS, not the file it stands for',
    remedy: 'Run "git lfs pull" in its repository, or download the file from the repository\'s page.',
  },
  {
    looks: (head) => /^(\xef\xbb\xbf)?\s*<(!doctype|html|head|body|\?xml|!--)/i.test(head),
    is: 'a web page, not weights',
    remedy: `The download gave a page instead of the file. ${downloadAgain}`,
  },
  {
    looks: (head) => head.startsWith('\x89HDF\r\n\x1a\n'),
    is: 'an HDF5 file, as Keras writes',
    remedy: 'Boxwright reads PyTorch and safetensors weights: export the model to one of these.',
  },
  {
    looks: (head) => head.startsWith('\x93NUMPY'),
    is: 'a single NumPy array',
    remedy:
      'Save the arrays together in Python with safetensors.numpy.save_file({"name": array, …}, "weights.safetensors").',
  },
  {
    looks: (_, bytes) => decodeLatin1(bytes, 257, Math.min(262, bytes.length)) === 'ustar',
    is: 'a tar archive',
    remedy:
      'Unpack it and open the .pth or .safetensors file inside; a tar written by PyTorch 0.1 must be loaded and saved again in Python.',
  },
  {
    looks: (head) => head.startsWith('\x1f\x8b') || head.startsWith('7z\xbc\xaf') || head.startsWith('Rar!'),
    is: 'a compressed archive',
    remedy: 'Unpack it and open the .pth or .safetensors file inside.',
  },
  {
    looks: (head) => head.startsWith('GGUF'),
    is: 'a GGUF file, a format of language models',
    remedy: 'Choose the weights of a RetinaNet or a ResNet, as .pth or .safetensors.',
  },
  {
    // ModelProto: ir_version (field 1), then a text (field 2 or 3) or the graph (field 7) or opset (field 8).
    looks: (_, bytes) => bytes[0] === 8 && bytes[1]! < 32 && [0x12, 0x1a, 0x3a, 0x42].includes(bytes[2]!),
    is: 'an ONNX model',
    remedy: `An ONNX file no longer has the names weights are known by: open the .pth it was made from. In Python: ${exportState}.`,
  },
  {
    looks: (head) => /^\s*[[{]/.test(head),
    is: 'a text in JSON, not weights',
    remedy:
      "It may be the description beside the weights, or a server's error: choose the .pth or .safetensors file itself.",
  },
];

/** Protocol 2 or later, then an operation. */
function isPickle(bytes: Uint8Array): boolean {
  return bytes[0] === 0x80 && bytes[1]! >= 2 && bytes[1]! <= 5 && bytes[2] !== 0;
}

/** Throws a Problem where the file is of a known other kind. */
export function refuseForeignFile(bytes: Uint8Array, file: string): void {
  const head = decodeLatin1(bytes, 0, Math.min(bytes.length, 256));
  const found = foreign.find(({ looks }) => looks(head, bytes));
  if (found) throw refused(file, found.is, found.remedy);
}

const foreignZips: readonly { readonly part: RegExp; readonly is: string; readonly remedy: string }[] = [
  {
    part: /^[^/]+\/(constants\.pkl|code\/)/,
    is: 'a TorchScript program, which holds code beside its weights',
    remedy: 'In Python, if you trust it: torch.save(torch.jit.load("model.pt").state_dict(), "weights.pth").',
  },
  {
    part: /(^|\/)(archive_format|serialized_exported_program\.json|models\/[^/]+\.json)$/,
    is: 'a program of torch.export, which holds code beside its weights',
    remedy: `In Python, save the weights of the model it was made from: ${exportState}.`,
  },
  {
    part: /\.npy$/,
    is: 'an archive of NumPy arrays (.npz)',
    remedy: 'In Python: safetensors.numpy.save_file(dict(numpy.load("weights.npz")), "weights.safetensors").',
  },
  {
    part: /\.weights\.h5$/,
    is: 'a Keras model',
    remedy: 'Boxwright reads PyTorch and safetensors weights: export the model to one of these.',
  },
  {
    part: /\.(pth|pt|safetensors)$/,
    is: 'a zip archive with a file of weights inside',
    remedy: 'Unpack it and open that file.',
  },
  {
    part: /\/\.distcp$|\.distcp$/,
    is: 'a distributed checkpoint',
    remedy: 'In Python: torch.distributed.checkpoint.format_utils.dcp_to_torch_save(folder, "weights.pth").',
  },
];

/** Throws a Problem where the names in a zip show that torch.save did not write it, or not as plain weights. */
export function refuseForeignZip(names: readonly string[], hasPickle: boolean, file: string): void {
  const found = foreignZips.find(({ part }) => names.some((name) => part.test(name)));
  if (found) throw refused(file, found.is, found.remedy);
  if (!hasPickle) {
    throw refused(
      file,
      'a zip archive, but not one of torch.save: it has no data.pkl',
      `Choose a file written by ${exportState}.`,
    );
  }
}

/** The Problem of a file that is nothing known. */
export function unknownFile(file: string): Problem {
  return refused(
    file,
    'neither a PyTorch nor a safetensors file',
    'Choose a .pth or .pt file written by torch.save, or a .safetensors file; if it should be one, copy or download it again.',
  );
}

function refused(file: string, is: string, remedy: string): Problem {
  return new Problem('bad-input', `${file} is ${is}.`, `${remedy} ${nothingLoaded}`);
}
