import { afterEach, expect, it, vi } from 'vitest';
import { Output } from './output.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

it("shows a stranger's control characters instead of sending them, and leaves JSON as it is", () => {
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  const told = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const name = 'a\u001b]0;title\u0007\u009b31m\tb\r\nü🦊';
  const shown = 'a\ufffd]0;title\ufffd\ufffd31m\tb\ufffd\nü🦊\n';
  new Output(false).result({ name }, () => [name]);
  new Output(false).say(name);
  new Output(false).progress(() => name);
  expect([...written.mock.calls, ...told.mock.calls]).toEqual([[shown], [shown], [shown]]);
  written.mockClear();
  const { log, info } = console;
  new Output(true).result({ name }, () => []);
  Object.assign(console, { log, info });
  expect(JSON.parse(String(written.mock.calls[0]![0]))).toEqual({ name });
});
