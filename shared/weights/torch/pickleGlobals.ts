/**
 * Names a file of weights has no honest reason to hold.
 *
 * The pickle machine never resolves a name, so no name can do harm here and this list protects nobody from running anything: that is
 * why it need not be complete, as such lists never are. It is there to tell the person: a file that names os.system was made to attack
 * whoever opens it in Python, and "loaded" would be a lie about it. All other unknown names (argparse.Namespace in torchvision's
 * checkpoints, numpy scalars, a framework's own classes, getattr in mmengine's) stand in real checkpoints beside the weights: they
 * become inert records and nothing inside them is used.
 */

/** With everything in them and below them. */
const modules = new Set(
  `os posix nt subprocess _posixsubprocess pty sys importlib imp runpy popen2 shutil socket _socket
  ctypes _ctypes cffi marshal pickle _pickle cPickle shelve pdb bdb timeit webbrowser pip ensurepip venv urllib http ftplib
  smtplib telnetlib paramiko`.split(/\s+/),
);

const names = new Set(
  `eval exec execfile compile open __import__ apply input breakpoint exit quit globals locals vars setattr delattr
  help reload file`.split(/\s+/),
);
const builtinModules = new Set(['builtins', '__builtin__', '__builtins__']);

const paths = new Set(
  `code.interact code.InteractiveInterpreter code.InteractiveConsole commands.getoutput
  commands.getstatusoutput io.open io.open_code io.FileIO _io.open _io.FileIO types.CodeType types.FunctionType
  codecs.open logging.config.listen
  asyncio.create_subprocess_shell asyncio.create_subprocess_exec numpy.load numpy.fromfile numpy.memmap
  numpy.testing._private.utils.runstring pandas.read_pickle torch.load torch.serialization.load torch.storage._load_from_bytes
  torch.hub.load torch.jit.load torch.utils.cpp_extension.load torch.utils.cpp_extension.load_inline
  torch.utils.collect_env.run torch.distributed.rpc.rpc_sync torch.jit.annotations.parse_type_line
  torch.jit.unsupported_tensor_ops.execWrapper torch.fx.graph_module._forward_from_src`.split(/\s+/),
);

/** Whether `module.name` runs programs, reaches files or the network, or loads code. */
export function isAttackGlobal(module: string, name: string): boolean {
  const root = module.split('.', 1)[0]!;
  if (modules.has(root)) return true;
  if (builtinModules.has(root)) return name.split('.').some((part) => names.has(part));
  // A dotted name reaches through attributes, such as the os that another module has imported.
  const through = name.split('.').slice(0, -1);
  return paths.has(`${module}.${name}`) || through.some((part) => modules.has(part));
}
