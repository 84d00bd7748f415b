/** Programs that are not npm packages: whether they are installed, and running them. */
import { spawnSync } from 'node:child_process';
import type { SpawnSyncReturns } from 'node:child_process';

/** Why tests that need a program cannot run here, or null when they can. Printed once per test file. */
export function whyNoTool(name: string, ...args: readonly string[]): string | null {
  if (spawnSync(name, args, { encoding: 'utf8' }).error === undefined) return null;
  const reason = `${name} is not installed: its tests are skipped`;
  process.stderr.write(`${reason}\n`);
  return reason;
}

/** Runs a program to its end. */
export function runTool(name: string, args: readonly string[], cwd?: string): SpawnSyncReturns<string> {
  return spawnSync(name, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    ...(cwd === undefined ? {} : { cwd }),
  });
}
