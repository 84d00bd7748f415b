/** Starts a function's process: environment in, listening server out; a bad configuration is told in one readable message. */
import type { Server } from 'node:http';
import { resolveEnvironment } from './env.ts';
import type { Environment } from './env.ts';
import { ConfigError } from './errors.ts';
import type { FunctionName } from './events.ts';
import type { Address } from './serve.ts';
import { startTracing } from './trace.ts';

/** The port Knative gives, or functions-framework's default. */
const DEFAULT_PORT = 8080;

/** Runs `main` with the process's environment; exits 78 (EX_CONFIG) when the environment is not usable. */
export async function start(
  name: FunctionName,
  main: (env: Environment, address: Address) => Promise<Server>,
): Promise<void> {
  try {
    const { PORT = DEFAULT_PORT, LISTEN_HOST } = process.env;
    await startTracing(name, resolveEnvironment(process.env));
    await main(process.env, { port: Number(PORT), host: LISTEN_HOST });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`alertgest ${name} cannot start: ${error.message}\n`);
    process.exitCode = 78;
  }
}
