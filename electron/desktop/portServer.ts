/** The services' end of a window's channel: sizes, shapes and names are checked before anything runs. */
import { dispatch } from '../../shared/contract/dispatch.ts';
import { Problem, toProblemData } from '../../shared/domain/problem.ts';
import { requestLimitBytes, tooLargeMessage } from '../host/requestLimits.ts';
import type { ServedWorkstation } from '../host/servedWorkstation.ts';
import type { Answer, Port, PortMessage, PortRequest } from './channel.ts';
import { messageSize } from './messageSize.ts';

/** Serves until the port closes. A message that is no request of ours closes it: the other end is not our preload script. */
export function servePort(port: Port, workstation: ServedWorkstation): void {
  let open = true;
  const send = (message: PortMessage) => {
    if (open) port.postMessage(message);
  };
  const unsubscribe = workstation.subscribe((event) => send({ event }));
  const end = () => {
    if (!open) return;
    open = false;
    unsubscribe();
    port.close();
  };
  port.onClose(end);
  port.onMessage((data) => {
    if (!isRequest(data)) return end();
    void answer(workstation, data).then((result) => send({ id: data.id, answer: result }));
  });
  port.start();
}

async function answer(workstation: ServedWorkstation, request: PortRequest): Promise<Answer> {
  try {
    const limit = requestLimitBytes(request.name);
    if (messageSize(request.params, limit) > limit) {
      throw new Problem('bad-input', tooLargeMessage(limit), 'Send less at once.');
    }
    return { ok: await dispatch(workstation.handlers, request.name, request.params) };
  } catch (error) {
    return { problem: toProblemData(error) };
  }
}

function isRequest(data: unknown): data is PortRequest {
  if (typeof data !== 'object' || data === null) return false;
  const { id, name } = data as Partial<PortRequest>;
  return Number.isSafeInteger(id) && typeof name === 'string' && name.length <= 100;
}
