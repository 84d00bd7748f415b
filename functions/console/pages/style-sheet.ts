/**
 * The one style sheet of every page, sent inline: phone first, dark and light by the reader's setting. Severity is
 * always a word as well as a colour. Colours are chosen for at least 4.5:1 on their background (3:1 for borders of
 * controls); test/e2e/console.test.ts measures it.
 */

const LIGHT = `--bg:#f4f6f8;--card:#fff;--text:#17202b;--muted:#526072;--line:#dbe1e8;--edge:#748296;--accent:#1a56b0;
--on-accent:#fff;--critical:#a30f1c;--critical-bg:#fde7e8;--warning:#744600;--warning-bg:#ffefd0;--info:#1b4b86;
--info-bg:#e4effb;--none:#465160;--none-bg:#e9edf2;--good:#17603a;--good-bg:#dff4e6;--bar:#6d86a8;--bar-critical:#cf2f3c;
--bar-warning:#bd7a00;--bar-info:#3f7cc8`;
const DARK = `--bg:#0f1319;--card:#181e27;--text:#e7ebf1;--muted:#a1aebf;--line:#2c3542;--edge:#7c8aa0;--accent:#86b6ff;
--on-accent:#0c1a30;--critical:#ffb4b6;--critical-bg:#551a1f;--warning:#ffd28c;--warning-bg:#453209;--info:#abd1ff;
--info-bg:#173354;--none:#c8d1dd;--none-bg:#2b3441;--good:#a2e2b6;--good-bg:#143d25;--bar:#7894bb;--bar-critical:#ff7b82;
--bar-warning:#f0b34a;--bar-info:#6fa8ee`;

/** CSS text without white space that only people need. */
export const STYLE_SHEET = compact(`
:root{color-scheme:light dark;${LIGHT}}
@media(prefers-color-scheme:dark){:root{${DARK}}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--text);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
a{color:var(--accent);text-underline-offset:.15em}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:3px}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 1rem;overflow-wrap:anywhere}
h2{font-size:1.125rem;margin:0 0 .75rem}
h3{font-size:1rem;margin:1rem 0 .25rem}
p{margin:0 0 .75rem}
p:last-child,ul:last-child,dl:last-child{margin-bottom:0}
.skip{position:absolute;left:-99rem}
.skip:focus{left:1rem;top:.5rem;background:var(--card);padding:.5rem 1rem;z-index:1}
.top{background:var(--card);border-bottom:1px solid var(--line)}
.top>div,main,.foot{max-width:72rem;margin:0 auto;padding:0 1rem}
.top>div{display:flex;flex-wrap:wrap;align-items:center;gap:0 1.25rem}
.brand{font-weight:700;color:var(--text);text-decoration:none;padding:.5rem 0;font-size:1.0625rem}
.top nav{display:flex;flex-wrap:wrap;order:3;width:100%;margin-left:-.3rem}
.top nav a{padding:.5rem .3rem;white-space:nowrap;min-height:2.75rem;display:inline-flex;align-items:center;text-decoration:none;color:var(--muted);border-bottom:3px solid transparent;font-size:.84rem}
.top nav a[aria-current]{color:var(--text);font-weight:600;border-color:var(--accent)}
.top nav a:hover{color:var(--text)}
.who{display:flex;gap:.75rem;align-items:center;margin-left:auto;color:var(--muted);font-size:.875rem;overflow-wrap:anywhere}
main{padding-top:1.25rem;padding-bottom:2rem}
.foot{padding-bottom:2rem;color:var(--muted);font-size:.875rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:.625rem;padding:1rem;margin:0 0 1rem;overflow-wrap:anywhere}
.loud{border-left:.375rem solid var(--critical)}
.loud-box{border-left:.375rem solid var(--warning);padding-left:.75rem;margin:0 0 1rem}
.fine{border-left:.375rem solid var(--good)}
.grid{display:grid;gap:1rem;margin:0 0 1rem;grid-template-columns:repeat(auto-fit,minmax(7.5rem,1fr))}
.grid>.card{margin:0}
.halves{display:grid;gap:0 1rem;grid-template-columns:minmax(0,1fr)}
.number{font-size:1.75rem;font-weight:650;line-height:1.2;font-variant-numeric:tabular-nums;display:block}
.muted,.zone{color:var(--muted)}
.small,.zone{font-size:.875rem}
.zone{font-size:.75em}
.badge{display:inline-block;border-radius:1rem;padding:.0625rem .625rem;font-size:.8125rem;font-weight:600;white-space:nowrap;background:var(--none-bg);color:var(--none)}
.critical{background:var(--critical-bg);color:var(--critical)}
.warning{background:var(--warning-bg);color:var(--warning)}
.info{background:var(--info-bg);color:var(--info)}
.good{background:var(--good-bg);color:var(--good)}
.empty{color:var(--muted);text-align:center;padding:1.5rem .5rem}
table{border-collapse:separate;border-spacing:0;width:100%}
th{text-align:left;font-size:.8125rem;color:var(--muted);font-weight:600}
th,td{padding:.5rem .75rem .5rem 0;vertical-align:top;overflow-wrap:anywhere}
.list{background:var(--card);border:1px solid var(--line);border-radius:.625rem;margin:0 0 1rem;padding:0 1rem}
.list tbody td{border-top:1px solid var(--line)}
.number-cell{text-align:right;font-variant-numeric:tabular-nums;padding-right:1.5rem}
dl.facts{display:grid;grid-template-columns:fit-content(65%) minmax(0,1fr);gap:.25rem 1rem;margin:0 0 .75rem}
dt{color:var(--muted);overflow-wrap:anywhere;min-width:4rem}
dd{margin:0;overflow-wrap:anywhere}
.row{display:flex;flex-wrap:wrap;gap:.75rem;align-items:end;margin:0 0 1rem}
.card .row:last-child{margin-bottom:0}
.channel{align-items:center;border-top:1px solid var(--line);padding-top:.75rem}
.card .channel:last-child{margin-bottom:.75rem}
summary{cursor:pointer;padding:.375rem 0}
details[open]>summary{margin-bottom:.25rem}
details+.row{margin-top:.75rem}
label,.field{display:block;font-size:.875rem;color:var(--muted)}
input,select,textarea,button,.button{font:inherit;font-size:1rem;min-height:2.75rem;border-radius:.4375rem;max-width:100%}
input,select,textarea{background:var(--card);color:var(--text);border:1px solid var(--edge);padding:.5rem .625rem}
label>input:not([type=checkbox],[type=radio]),label>select,label>textarea{display:block;margin-top:.125rem}
input[type=checkbox],input[type=radio]{min-height:0;width:1.25rem;height:1.25rem;accent-color:var(--accent);vertical-align:-.25rem;margin:0 .375rem 0 0}
textarea{width:100%}
.wide,.wide input{width:100%;flex-basis:100%}
.grow{flex:1 1 12rem}
.grow input{width:100%}
button,.button{background:var(--accent);color:var(--on-accent);border:1px solid var(--accent);padding:.5rem 1rem;font-weight:600;cursor:pointer;text-decoration:none;display:inline-flex;align-items:center}
.quiet-button{background:transparent;color:var(--accent)}
.link-button{background:none;border:0;color:var(--accent);padding:0 .25rem;font-size:.875rem;font-weight:400;text-decoration:underline;min-height:1.5rem}
fieldset{border:0;padding:0;margin:0 0 .75rem;min-width:0}
legend{padding:0;font-weight:600;margin-bottom:.25rem}
.choices label{display:flex;align-items:center;min-height:2.25rem;color:var(--text);font-size:1rem}
pre,code{font:.875rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
pre{white-space:pre-wrap;background:var(--bg);border:1px solid var(--line);border-radius:.4375rem;padding:.75rem;margin:0 0 .75rem}
.steps{list-style:none;margin:0;padding:0;border-left:2px solid var(--line)}
.steps>li{position:relative;padding:0 0 .875rem 1.125rem}
.steps>li::before{content:"";position:absolute;left:-.4375rem;top:.4375rem;width:.75rem;height:.75rem;border-radius:50%;background:var(--bar);border:2px solid var(--card)}
.steps>li.is-bad::before{background:var(--critical)}
.steps>li.is-good::before{background:var(--good)}
ul.plain{list-style:none;margin:0;padding:0}
svg{display:block;max-width:100%;height:auto}
svg text{fill:var(--muted);font-size:11px}
.bar{fill:var(--bar)}
.bar.critical{fill:var(--bar-critical)}
.bar.warning{fill:var(--bar-warning)}
.bar.info{fill:var(--bar-info)}
.bar.none,.bar.unknown{background:none}
.axis{stroke:var(--line)}
.key{display:inline-block;width:.75rem;height:.75rem;margin-right:.375rem}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@media(min-width:48rem){.top nav{order:0;width:auto;margin:0}.top nav a{padding:.5rem;font-size:.9375rem}.only-narrow{display:none}h1{font-size:1.75rem}.halves{grid-template-columns:minmax(0,3fr) minmax(0,2fr)}}
@media(max-width:47.99rem){
.only-wide{display:none}
.list{background:none;border:0;padding:0}
.list thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.list,.list tbody,.list tr,.list td{display:block}
.list tbody tr{background:var(--card);border:1px solid var(--line);border-radius:.625rem;padding:.75rem 1rem;margin:0 0 .75rem}
.list tbody td{display:flex;gap:.5rem;padding:.1875rem 0;text-align:left;border:0}
.list tbody td.number-cell{display:inline-flex;gap:.375rem;margin-right:1rem}
.list td[data-label]:not([data-label=""])::before{content:attr(data-label);color:var(--muted);font-size:.875rem;flex:0 0 4.5rem}
.list td.number-cell[data-label]:not([data-label=""])::before{flex:none}
.list tbody td:empty{display:none}
}
`);

function compact(css: string): string {
  return css.replaceAll('\n', '').trim();
}
