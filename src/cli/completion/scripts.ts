/** The scripts that shells read once per session. Words that were typed are passed on, never evaluated. Pure. */
import { shellWord } from '../shared/format.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type ShellName = (typeof SHELLS)[number];

export interface ScriptPaths {
  node: string;
  /** Entry that answers. */
  complete: string;
  launcher: string;
  /** Folder of compiled code, which halves the time of an answer. */
  compileCache: string;
}

export function completionScript(shell: ShellName, { node, complete, launcher, compileCache }: ScriptPaths): string {
  const ask = ['env', `NODE_COMPILE_CACHE=${compileCache}`, node, '--disable-warning=ExperimentalWarning', complete]
    .map(shellWord)
    .join(' ');
  const run = [node, launcher].map(shellWord).join(' ');
  return `${SCRIPTS[shell](ask, run).trim()}\n`;
}

const SCRIPTS: Record<ShellName, (ask: string, run: string) => string> = {
  bash: (ask, run) => `
# Completion of ananta for bash, for ~/.bashrc.
command -v ananta >/dev/null || ananta() { ${run} "$@"; }
_ananta_complete() {
  local line
  COMPREPLY=()
  compopt +o default
  while IFS= read -r line; do
    if [[ $line == ':files' ]]; then compopt -o default; COMPREPLY=(); return; fi
    COMPREPLY+=("\${line%%$'\\t'*}")
  done < <(${ask} "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  if [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *= ]]; then compopt -o nospace; fi
}
complete -o default -F _ananta_complete ananta
`,
  zsh: (ask, run) => `
#compdef ananta
# Completion of ananta for zsh, for ~/.zshrc below compinit.
(( $+commands[ananta] || $+functions[ananta] || $+aliases[ananta] )) || ananta() { ${run} "$@"; }
_ananta_complete() {
  local line
  local -a found
  for line in "\${(@f)$(${ask} "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    if [[ $line == ':files' ]]; then _files; return; fi
    [[ -n $line ]] && found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  _describe 'ananta' found
}
compdef _ananta_complete ananta
`,
  fish: (ask, run) => `
# Completion of ananta for fish, for ~/.config/fish/conf.d/ananta.fish.
type -q ananta; or function ananta; ${run} $argv; end
function __ananta_complete
  set -l before (commandline -opc)
  set -l current (commandline -ct)
  set -l found (${ask} $before[2..-1] "$current" 2>/dev/null)
  if test "$found" = ':files'
    __fish_complete_path "$current"
  else
    printf '%s\\n' $found
  end
end
complete -c ananta -f -a '(__ananta_complete)'
`,
};
