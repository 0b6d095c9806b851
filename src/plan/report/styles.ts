/** Of the report: light and dark, narrow screens and paper. Text has a contrast of at least 4.5 to 1. */
export const STYLES = `
:root { color-scheme: light dark; --ground: #fff; --text: #1c2127; --dim: #5a6472; --line: #d5dae1; --panel: #f5f7f9;
  --good: #1a7f37; --bad: #b42318; --busy: #0b61a4; --waiting: #b9c1cc; --applying: #8250df; --starting: #2f81c7;
  --removing: #bf5b04; --critical: #b35900; --held: #d4a72c; --check: #2da44e; }
@media (prefers-color-scheme: dark) { :root { --ground: #14181d; --text: #e4e8ed; --dim: #9aa5b3; --line: #323a44;
  --panel: #1c2229; --good: #57c46e; --bad: #ff8078; --busy: #6cb6ff; --waiting: #4a5462; --applying: #b392f0;
  --starting: #58a6ff; --removing: #f0a35e; --critical: #f0a35e; --held: #c69026; --check: #57ab5a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 1rem; background: var(--ground); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
a { color: var(--busy); } :focus-visible { outline: 3px solid var(--busy); outline-offset: 2px; }
.skip { position: absolute; left: -999rem; } .skip:focus { left: 1rem; top: .5rem; background: var(--panel); padding: .5rem; }
.dim { color: var(--dim); } .good { color: var(--good); } .bad { color: var(--bad); } .busy { color: var(--busy); }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .5rem 0; }
dl.facts dt { color: var(--dim); } dl.facts dd { margin: 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; } caption { text-align: left; color: var(--dim); padding: .25rem 0; }
th, td { text-align: left; vertical-align: top; padding: .2rem .5rem; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }
thead th { white-space: nowrap; }
.scroll { overflow-x: auto; }
ol.timeline { list-style: none; margin: 0; padding: 0; }
ol.timeline li { display: grid; grid-template-columns: 13rem 1fr 5.5rem; gap: .75rem; align-items: center;
  border-bottom: 1px solid var(--line); padding: .15rem 0; }
.bar { position: relative; height: 1.1rem; background: var(--panel); border-radius: 2px; }
.bar i { position: absolute; top: 0; height: 100%; min-width: 2px; border-radius: 2px; print-color-adjust: exact; }
.waiting { background: var(--waiting); } .applying { background: var(--applying); } .starting { background: var(--starting); }
.removing { background: var(--removing); } .check { background: var(--check); } .lost { background: var(--bad); }
.waits, .paused, .asked { background: var(--held); } .paused { opacity: .8; } .asked { opacity: .6; }
.bar .act { width: 3px; min-width: 3px; margin-left: -1px; background: var(--text); }
.critical { font-weight: 600; color: var(--critical); }
.key { display: inline-block; width: .9rem; height: .9rem; border-radius: 2px; vertical-align: -.1rem; margin: 0 .3rem 0 1rem; }
pre { background: var(--panel); padding: .6rem; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
details { border: 1px solid var(--line); border-radius: 4px; padding: .3rem .6rem; margin: .4rem 0; }
summary { cursor: pointer; }
@media (max-width: 40rem) { ol.timeline li { grid-template-columns: 1fr 5rem; } .bar { grid-column: 1 / -1; } }
@media print { body { max-width: none; padding: 0; } details { break-inside: avoid; } .skip { display: none; } }
`;
