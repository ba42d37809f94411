/** `serve`: the workstation for a browser on this machine, until told to stop. */
import { serve } from '../../web/serve.ts';
import type { Output } from '../output.ts';

export interface ServeOptions {
  readonly port?: number;
  readonly open: boolean;
}

export async function serveProject(
  project: string | undefined,
  { port, open }: ServeOptions,
  output: Output,
): Promise<void> {
  const serving = await serve({ project, port, open, print: (line) => output.say(line) });
  output.say('Press Ctrl+C to close it.');
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  await serving.close();
}
