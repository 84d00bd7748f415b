/** A progress bar that stays at the bottom of a terminal; elsewhere a plain line every ten per cent. */
import type { WriteStream } from 'node:tty';

const BAR_CELLS = 28;
/** The bar is drawn at most this often, in milliseconds. */
const DRAW_EVERY_MS = 50;

export interface Progress {
  /** `done` of the total, with a few words behind the bar. */
  update(done: number, words: string): void;
  /** Prints lines above the bar. */
  print(text: string): void;
  /** Leaves the last state standing. */
  end(): void;
}

/** Starts a bar on a stream; `name` stands before it. */
export function createProgress(stream: NodeJS.WritableStream, name: string, total: number): Progress {
  const isTty = 'isTTY' in stream && stream.isTTY === true;
  let line = '';
  let drawnAt = -Infinity;
  let tenths = 0;
  const draw = (): void => {
    stream.write(`\r\x1b[2K${line}`);
    drawnAt = performance.now();
  };
  return {
    update(done, words) {
      if (isTty) {
        // A terminal of unknown size says 0.
        line = toBar(name, done, total, words, (stream as WriteStream).columns || 80);
        if (performance.now() - drawnAt >= DRAW_EVERY_MS || done >= total) draw();
      } else if (Math.floor((done / total) * 10) > tenths) {
        tenths = Math.floor((done / total) * 10);
        stream.write(`${name} ${String(tenths * 10).padStart(3)} %  ${words}\n`);
      }
    },
    print(text) {
      if (!isTty) stream.write(`${text}\n`);
      else {
        stream.write(`\r\x1b[2K${text}\n`);
        draw();
      }
    },
    end() {
      if (!isTty || line === '') return;
      draw();
      stream.write('\n');
    },
  };
}

/** One line of at most `columns` cells. Pure. */
export function toBar(name: string, done: number, total: number, words: string, columns: number): string {
  const share = total === 0 ? 1 : Math.min(done / total, 1);
  const full = Math.floor(share * BAR_CELLS);
  const bar = '█'.repeat(full) + '░'.repeat(BAR_CELLS - full);
  return `${name} ${bar} ${String(Math.floor(share * 100)).padStart(3)} %  ${words}`.slice(0, columns - 1);
}
