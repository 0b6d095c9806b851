/** How each shell is started with its own files read first, and a prompt that names the environment. Pure. */
import { basename, join } from 'node:path';

export interface ShellStart {
  command: string;
  args: string[];
  variables: Record<string, string>;
  /** Files in the folder of the shell. */
  files: Record<string, string>;
}

/** A protected environment is named as one. */
export function labelOf({ name, protected: isProtected }: { name: string; protected: boolean }): string {
  return isProtected ? `${name}, PROTECTED` : name;
}

/** @param shell path of the user's shell @param label `prod, PROTECTED` */
export function shellStart(
  shell: string,
  label: string,
  folder: string,
  inherited: Readonly<Record<string, string>>,
): ShellStart {
  const prompt = `(ananta ${label}) `;
  switch (basename(shell)) {
    case 'bash':
      return {
        command: shell,
        args: ['--rcfile', join(folder, 'bashrc'), '-i'],
        variables: {},
        files: { bashrc: `[ -f ~/.bashrc ] && . ~/.bashrc\n${AFTER}PS1='${prompt}'"$PS1"\n` },
      };
    case 'zsh': {
      const own = inherited['ZDOTDIR'] ?? '$HOME';
      return {
        command: shell,
        args: ['-i'],
        variables: { ZDOTDIR: folder },
        files: {
          '.zshrc': `ZDOTDIR="${own}"\n[ -f "$ZDOTDIR/.zshrc" ] && . "$ZDOTDIR/.zshrc"\n${AFTER}PROMPT='${prompt}'"$PROMPT"\n`,
        },
      };
    }
    case 'fish':
      return {
        command: shell,
        args: [
          '-C',
          `functions -c fish_prompt __ananta_prompt; function fish_prompt; echo -n '${prompt}'; __ananta_prompt; end`,
        ],
        variables: {},
        files: {},
      };
    default:
      return { command: shell, args: ['-i'], variables: { PS1: `${prompt}$ ` }, files: {} };
  }
}

/** What the user's own file has set is of other clusters; the tools stand before everything on the path. */
const AFTER = '. "$ANANTA_SHELL_VARIABLES"\n';
