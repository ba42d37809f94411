#!/usr/bin/env node
/** The `boxwright` command: everything the workstation does, without a screen. Exit 0 done, 1 failed, 2 usage. */
import { CommanderError } from 'commander';
import { Problem, toProblemData } from '../../shared/domain/problem.ts';
import { printProblem } from './output.ts';
import { buildProgram } from './program.ts';
import { UsageError } from './usage.ts';

async function main(argv: readonly string[]): Promise<number> {
  try {
    requireSqlite();
    const program = buildProgram();
    await program.parseAsync(argv, { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has said already what was wrong, or shown what was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    printProblem(toProblemData(error));
    return error instanceof UsageError ? 2 : 1;
  }
}

/** Projects are SQLite files, and Node brings SQLite only since 22.13. */
function requireSqlite(): void {
  if (process.getBuiltinModule?.('node:sqlite')) return;
  throw new Problem(
    'bad-input',
    `Boxwright needs Node 24, and this is Node ${process.versions.node}.`,
    'Install Node 24 from nodejs.org, or run `npm run boxwright -- COMMAND` in a checkout, which brings its own.',
  );
}

// A reader that has seen enough (`boxwright … | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const code = await main(process.argv.slice(2));
// Dawn's threads and tfjs's timers must not keep a finished command alive; what was written goes out first.
process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
