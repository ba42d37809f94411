/** `npm start -- --web [PROJECT] [--port N] [--no-open]`: serves until told to stop. */
import { parseArgs } from 'node:util';
import { Problem, toProblemData } from '../../shared/domain/problem.ts';
import { serve } from './serve.ts';

const usage = 'npm start -- --web [PROJECT] [--port N] [--no-open]';

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      allowNegative: true,
      options: { port: { type: 'string' }, open: { type: 'boolean', default: true } },
    });
    const port = values.port === undefined ? undefined : Number(values.port);
    if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
      throw new TypeError(`--port ${values.port} is not a port`);
    }
    return { project: positionals[0], port, open: values.open };
  } catch (error) {
    // What follows the first sentence is advice on how to pass it on as a file name.
    const [reason] = (error instanceof Error ? error.message : String(error)).split('. ');
    throw new Problem('bad-input', `${reason}.`, `Use: ${usage}`);
  }
}

try {
  const serving = await serve({ ...readArguments(), print: (line) => console.log(line) });
  console.log('Press Ctrl+C to close it.');
  const stop = () => void serving.close().finally(() => process.exit(0));
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
} catch (error) {
  const problem = toProblemData(error);
  console.error(`${problem.message}\n${problem.remedy}`);
  process.exitCode = problem.kind === 'bad-input' ? 2 : 1;
}
