/** What run and demo share: everything on this machine, with a phone when there is no channel, logs in files, and a clean end. */
import { join } from 'node:path';
import { startMachine } from '../eventing/local/machine.ts';
import type { Machine } from '../eventing/local/machine.ts';
import { freePort } from '../eventing/local/port.ts';
import { channelsFromEnv } from '../functions/notify/channels/index.ts';
import { resolveEnvironment } from '../shared/env.ts';
import type { Environment } from '../shared/env.ts';
import { ConfigError } from '../shared/errors.ts';
import type { Push } from './card.ts';
import { readInteger } from './command.ts';
import { openFunctionLogs } from './function-logs.ts';
import { takeOverSignals } from './lifetime.ts';
import type { Lifetime } from './lifetime.ts';
import { startPhone } from './phone.ts';
import type { Phone } from './phone.ts';
import { isFree } from './port.ts';
import { DATA_FOLDER } from './token.ts';

/** Where the functions' logs are. */
export const LOG_FOLDER = join(DATA_FOLDER, 'logs');

const DEFAULT_PORT = '8080';

export interface OneMachineOptions {
  /** Environment of the functions. */
  readonly env: Environment;
  readonly port: number;
  /** Keeps the history; null throws it away at the end. */
  readonly dataFolder: string | null;
  readonly schedules: boolean;
  /** The value of RECEIVE_TOKEN: one token, or two while they are rotated. */
  readonly token: string;
  readonly say: (line: string) => void;
  readonly onPush: (push: Push, number: number) => void;
}

export interface OneMachine {
  readonly machine: Machine;
  /** Null when the user's own channels are told. */
  readonly phone: Phone | null;
  readonly lifetime: Lifetime;
  stop(): Promise<void>;
}

/** Starts it; the caller serves until `lifetime.over` and then stops. */
export async function startOneMachine(options: OneMachineOptions): Promise<OneMachine> {
  let stopping = false;
  const say = (line: string): void => {
    if (!stopping) options.say(line);
  };
  const { DATABASE_URL, REDIS_URL, ...resolved } = resolveEnvironment(options.env);
  const phone = channelsFromEnv(resolved).length === 0 ? await startPhone(options.onPush) : null;
  const logs = openFunctionLogs(LOG_FOLDER, say);
  const stopRest = async (): Promise<void> => {
    await phone?.close();
    logs.close();
  };
  try {
    const machine = await startMachine({
      env: {
        CONSOLE_URL: `http://127.0.0.1:${options.port}`,
        // As given: what a …_FILE holds (a bundle of certificates, say) may be too long for an environment.
        ...options.env,
        DATABASE_URL,
        REDIS_URL,
        ...(phone && { WEBHOOK_URL: phone.url }),
        RECEIVE_TOKEN: options.token,
        RECEIVE_TOKEN_FILE: undefined,
        CONSOLE_ALLOW_UNAUTHENTICATED: 'true',
      },
      port: options.port,
      dataFolder: options.dataFolder,
      installRedis: true,
      schedules: options.schedules,
      say,
      onLine: logs.onLine,
    });
    const lifetime = takeOverSignals(() => {
      options.say('Stopping … (Ctrl-C again does not wait)');
      stopping = true;
    });
    return {
      machine,
      phone,
      lifetime,
      async stop() {
        stopping = true;
        await machine.stop();
        await stopRest();
      },
    };
  } catch (error) {
    await stopRest();
    throw error;
  }
}

/**
 * The port of --port or ALERTGEST_PORT, checked before anything is started. Without either a taken 8080 is an error, or,
 * where any will do, another one.
 */
export async function choosePort(flag: string | undefined, anyWillDo: boolean): Promise<number> {
  const given = flag ?? process.env['ALERTGEST_PORT'];
  const port = readInteger('--port', given ?? DEFAULT_PORT, 0, 65_535);
  if (port === 0) return freePort();
  if (await isFree(port)) return port;
  if (given === undefined && anyWillDo) return freePort();
  throw new ConfigError(`port ${port} is taken; end what listens there, or choose another: --port 8081`);
}
