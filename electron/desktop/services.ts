/** The services' own process: the project's database has one connection in one process, and a busy window cannot delay a save. */
import type { MessagePortMain, ParentPort } from 'electron';
import { toProblemData } from '../../shared/domain/problem.ts';
import { openFirstProject } from '../host/firstProject.ts';
import type { ServedWorkstation } from '../host/servedWorkstation.ts';
import type { Port, ServicesCommand, ServicesFailure, ServicesStart } from './channel.ts';
import { servePort } from './portServer.ts';

export interface ServicesOptions {
  create(options: { shell: 'desktop'; dataPath: string; version: string }): ClosableWorkstation;
  exit(): void;
}

export interface ClosableWorkstation extends ServedWorkstation {
  close(): Promise<void>;
}

/** `parent` is the main process's end. */
export function runServices(parent: ParentPort, { create, exit }: ServicesOptions): void {
  let workstation: ClosableWorkstation | null = null;
  const start = ({ dataPath, version, project }: ServicesStart) => {
    workstation = create({ shell: 'desktop', dataPath, version });
    // Whatever keeps the project from opening, the screens offer the choice of another.
    openFirstProject(workstation.handlers, project).catch((error) =>
      console.error(toProblemData(error).message),
    );
  };
  parent.on('message', ({ data, ports }) => {
    const command = data as ServicesCommand;
    switch (command.type) {
      case 'start':
        try {
          start(command);
        } catch (error) {
          parent.postMessage({ problem: toProblemData(error) } satisfies ServicesFailure);
        }
        break;
      case 'connect':
        if (workstation && ports[0]) servePort(electronPort(ports[0]), workstation);
        else for (const port of ports) port.close();
        break;
      case 'close':
        void (workstation?.close() ?? Promise.resolve()).finally(exit);
        break;
      default:
        command satisfies never;
    }
  });
}

export function electronPort(port: MessagePortMain): Port {
  return {
    postMessage: (message) => port.postMessage(message),
    onMessage: (listener) => port.on('message', (event) => listener(event.data)),
    onClose: (listener) => port.on('close', listener),
    start: () => port.start(),
    close: () => port.close(),
  };
}
