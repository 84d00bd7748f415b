/** Text as Adaptive Cards take it. Pure. */

/** `{{DATE(…)}}` and `${…}` are templates to card renderers (https://adaptivecards.io/templating); a space takes that away. */
export function disarm(text: string): string {
  return text.replaceAll(/[{$](?=\{)/g, '$& ');
}
