/**
 * What remains of a sentence when only known words of it are kept: what is wrong, without the prose around it.
 *
 * Sentences of alerts, events and logs are written by whoever can make something fail. A word of this list or of the rule
 * table's vocabulary can describe trouble; it cannot give an order, so an instruction hidden in a log line falls apart.
 */
import { knowsWord } from './rules.ts';
import { splitWords } from './words.ts';

const LOG_WORDS: ReadonlySet<string> = new Set(
  `abort aborted access address allocate already backoff bad bind blocked broken budget bytes cancelled cannot capacity
  certificate checkpoint client closed commit config connect connection container context corrupt crash crashed crashing
  deadline deadlock debug denied descriptor device disk dns dropped dump eof error evicted exceeded exception exhausted exit
  exited expired failed failing fatal fetch file filesystem flush forbidden full gateway gone handshake heap high host http
  idle image index insufficient internal invalid io issue key killed kernel latency leader leak left limit liveness lock log
  long lookup loop low lost manifest max memory message missing mount name network node null offline oom open operation out
  overflow packet panic parse peer permission pid pod pointer policy pool port pressure probe process protocol pull queue
  quota race rate read readiness ready reason rebooted refused reject rejected replica replication request reset resolve
  resource response restart restarting restarted retry retrying route scheduling segfault server session shutdown signal size
  slow socket space stack stale start startup state status stderr stopped storage stream stuck swap sync table taint thread
  threshold throttled throttling timed timeout tls token traffic transaction unable unauthorized unavailable unbound
  unexpected unhealthy unknown unreachable unschedulable upstream usage user version volume waiting warning write`
    .split(/\s+/)
    .filter((word) => word !== ''),
);

const MAX_WORDS = 30;

/** The known words of a sentence, in their order; numbers and everything else are left out. */
export function toKnownWords(text: string): string {
  const words = splitWords(text).filter(
    (word) => /^[a-z]{2,}$/.test(word) && (LOG_WORDS.has(word) || knowsWord(word)),
  );
  return words.slice(0, MAX_WORDS).join(' ');
}
