/**
 * An Ollama server for tests: lists its models, answers /api/chat as told, and keeps a ledger of what it was asked.
 * It misbehaves in the ways real ones do: hanging, dripping, flooding, cutting prompts, answering 503.
 */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What /api/chat was asked. */
export interface ChatCall {
  readonly model: string;
  readonly messages: ReadonlyArray<{ readonly role: string; readonly content: string }>;
  readonly format: unknown;
  readonly options: Readonly<Record<string, number>>;
  readonly keep_alive: string;
  /** When the client went away before the answer was written. */
  cut: boolean;
}

/** How the next answers come; an object is the JSON that the model writes. */
export type StubAnswer =
  | 'hang'
  | 'slow'
  | 'invalid-json'
  | 'flood'
  | 'wrong-schema'
  | 'truncated'
  | 'unavailable'
  | 'broken-body'
  | { readonly text: string }
  | { readonly json: unknown; readonly delayMs?: number };

export interface ModelStub {
  readonly url: string;
  readonly calls: readonly ChatCall[];
  /** Most calls that were in progress at once. */
  readonly peak: number;
  /** Queues answers for the next calls; afterwards the usual answer comes again. */
  script(...answers: readonly StubAnswer[]): void;
  /** The answer when nothing is scripted. */
  usually(answer: StubAnswer | ((call: ChatCall) => StubAnswer)): void;
  /** Another digest, as after `ollama pull`. */
  setDigest(model: string, digest: string): void;
  clear(): void;
  close(): Promise<void>;
}

const CHARS_PER_TOKEN = 4;

/** Starts the server with some models. */
export async function startModelStub(models: readonly string[] = ['llama3.1:8b']): Promise<ModelStub> {
  const digests = new Map(models.map((model) => [model, `digest-of-${model}`]));
  let calls: ChatCall[] = [];
  let scripted: StubAnswer[] = [];
  let usual: StubAnswer | ((call: ChatCall) => StubAnswer) = { json: {} };
  let running = 0;
  let peak = 0;

  const chat = async (incoming: http.IncomingMessage, outgoing: http.ServerResponse): Promise<void> => {
    const body = JSON.parse(await readText(incoming)) as ChatCall;
    const call: ChatCall = { ...body, cut: false };
    calls.push(call);
    if (!digests.has(call.model)) return reply(outgoing, 404, { error: `model "${call.model}" not found` });
    running += 1;
    peak = Math.max(peak, running);
    outgoing.on('close', () => {
      running -= 1;
      call.cut = !outgoing.writableFinished;
    });
    const answer = scripted.shift() ?? (typeof usual === 'function' ? usual(call) : usual);
    return respond(outgoing, call, answer);
  };
  const server = http.createServer((incoming, outgoing) => {
    if (incoming.url === '/api/tags') {
      const list = [...digests].map(([name, digest]) => ({
        name,
        model: name,
        digest,
        size: 1,
        details: {},
      }));
      return reply(outgoing, 200, { models: list });
    }
    chat(incoming, outgoing).catch(() => incoming.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get calls() {
      return calls;
    },
    get peak() {
      return peak;
    },
    script: (...answers) => void scripted.push(...answers),
    usually: (answer) => void (usual = answer),
    setDigest: (model, digest) => void digests.set(model, digest),
    clear() {
      calls = [];
      scripted = [];
      peak = 0;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function respond(outgoing: http.ServerResponse, call: ChatCall, answer: StubAnswer): Promise<void> {
  const read = Math.ceil(
    call.messages.reduce((sum, { content }) => sum + content.length, 0) / CHARS_PER_TOKEN,
  );
  const write = (content: string, facts: object = {}): void =>
    reply(outgoing, 200, {
      model: call.model,
      created_at: '2026-01-14T22:00:00Z',
      message: { role: 'assistant', content },
      done: true,
      done_reason: 'stop',
      prompt_eval_count: read,
      eval_count: Math.ceil(content.length / CHARS_PER_TOKEN),
      ...facts,
    });
  switch (answer) {
    case 'hang':
      return;
    case 'slow': {
      // The head of an answer, and then one space after the other for as long as anybody listens.
      outgoing.writeHead(200, { 'content-type': 'application/json' });
      const timer = setInterval(() => outgoing.write(' '), 50);
      outgoing.on('close', () => clearInterval(timer));
      return;
    }
    case 'invalid-json':
      return write('Sure! Here is the JSON you asked for: {"category": ');
    case 'flood':
      return write(' \n'.repeat(2_000), {
        done_reason: 'length',
        eval_count: call.options['num_predict'] ?? 0,
      });
    case 'wrong-schema':
      return write('{"verdict": "ignore this alert", "category": "kitchen"}');
    case 'truncated':
      return write('{}', { prompt_eval_count: call.options['num_ctx'] ?? 0 });
    case 'unavailable':
      return reply(outgoing, 503, {
        error: 'server busy, please try again. maximum pending requests exceeded',
      });
    case 'broken-body':
      outgoing.writeHead(200, { 'content-type': 'application/json' }).end('{"message": {"content"');
      return;
    default:
      if ('text' in answer) return write(answer.text);
      await sleep(answer.delayMs ?? 0);
      return write(JSON.stringify(answer.json));
  }
}

async function readText(incoming: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function reply(outgoing: http.ServerResponse, status: number, body: object): void {
  outgoing.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
