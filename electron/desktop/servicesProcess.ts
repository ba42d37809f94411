/** Keeps the services' process: starts it, hands it windows' ports, starts it again when it dies, closes it in order. */
import type { MessagePortMain, UtilityProcess } from 'electron';
import type { ProblemData } from '../../shared/domain/problem.ts';
import type { ServicesCommand, ServicesFailure, ServicesStart } from './channel.ts';

/** A third death in this time is not chance: stop and say so. */
const restartWindowMs = 5 * 60_000;
const restartsAllowed = 2;
const closePatienceMs = 10_000;

export interface ServicesProcessOptions {
  fork(): UtilityProcess;
  readonly start: ServicesStart;
  /** Milliseconds, monotonic. */
  now(): number;
  /** It runs anew; windows must connect again. */
  onRestarted(): void;
  /** It cannot run. */
  onFailed(problem: ProblemData): void;
}

export interface ServicesProcess {
  connect(port: MessagePortMain): void;
  /** Resolves once everything is on disk and the process has gone, or patience has. */
  close(): Promise<void>;
}

export function startServices(options: ServicesProcessOptions): ServicesProcess {
  const deaths: number[] = [];
  let closing = false;
  let child = launch();

  function send(command: ServicesCommand, ports: MessagePortMain[] = []): void {
    child.postMessage(command, ports);
  }

  function launch(): UtilityProcess {
    const launched = options.fork();
    launched.postMessage({ type: 'start', ...options.start } satisfies ServicesCommand);
    launched.on('message', ({ problem }: ServicesFailure) => options.onFailed(problem));
    launched.once('exit', (code) => {
      if (!closing) revive(code);
    });
    return launched;
  }

  function revive(code: number): void {
    const now = options.now();
    deaths.push(now);
    if (deaths.filter((at) => now - at < restartWindowMs).length > restartsAllowed) {
      options.onFailed({
        kind: 'internal',
        message: 'The part of Boxwright that keeps the project stopped three times in five minutes.',
        remedy: 'Nothing saved is lost. Start Boxwright again; if it happens again, report it.',
        detail: `exit code ${code}`,
      });
      return;
    }
    child = launch();
    options.onRestarted();
  }

  return {
    connect: (port) => send({ type: 'connect' }, [port]),
    async close() {
      if (closing) return;
      closing = true;
      await new Promise<void>((resolve) => {
        const impatience = setTimeout(() => {
          child.kill();
          resolve();
        }, closePatienceMs);
        child.once('exit', () => {
          clearTimeout(impatience);
          resolve();
        });
        send({ type: 'close' });
      });
    },
  };
}
