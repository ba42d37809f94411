/** A request turned away by the shell itself, before the services hear of it. */
import { Problem } from '../../shared/domain/problem.ts';

export type RefusalStatus = 403 | 405 | 413;

export class Refusal extends Problem {
  readonly status: RefusalStatus;

  constructor(status: RefusalStatus, message: string, remedy: string) {
    super(status === 403 ? 'forbidden' : 'bad-input', message, remedy);
    this.status = status;
  }
}
