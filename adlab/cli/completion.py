"""Completion scripts for shells, made from the list of commands and their options."""

from __future__ import annotations

from collections.abc import Mapping

from adlab.errors import OptionError

SHELLS = ("bash", "zsh", "fish")
HOW = {
    "bash": "# add to ~/.bashrc:  source <(adlab completion bash)",
    "zsh": "# add to ~/.zshrc:  source <(adlab completion zsh)",
    "fish": "# write to ~/.config/fish/completions/adlab.fish:  adlab completion fish > that file",
}


def script(shell: str, takes: Mapping[str, list[str]], choices: Mapping[str, list[str]], about: Mapping[str, str]) -> str:
    """The script for a shell. Raises OptionError for an unknown shell.

    `takes` are the options of each command, `choices` the words that may follow an option, `about` a line on each command.
    """
    if shell not in SHELLS:
        raise OptionError(f"adlab completion takes one of {', '.join(SHELLS)}, not {shell!r}")
    made = {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](takes, choices, about)
    return f"{HOW[shell]}\n{made}"


def _bash(takes: Mapping[str, list[str]], choices: Mapping[str, list[str]], about: Mapping[str, str]) -> str:
    after = "\n".join(f'        {option}) words="{" ".join(words)}" ;;' for option, words in choices.items())
    own = "\n".join(f'            {command}) words="{" ".join(options)}" ;;' for command, options in takes.items())
    return f"""_adlab() {{
    local current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD-1]}}" words=""
    if [ "$COMP_CWORD" -eq 1 ]; then
        words="{" ".join(takes)} --help --version"
    else
        case "$previous" in
{after}
        *) case "${{COMP_WORDS[1]}}" in
{own}
            esac ;;
        esac
    fi
    COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o default -F _adlab adlab
"""


def _zsh(takes: Mapping[str, list[str]], choices: Mapping[str, list[str]], about: Mapping[str, str]) -> str:
    return "autoload -U +X bashcompinit && bashcompinit\n" + _bash(takes, choices, about)


def _fish(takes: Mapping[str, list[str]], choices: Mapping[str, list[str]], about: Mapping[str, str]) -> str:
    lines = []
    for command, options in takes.items():
        said = about[command].replace("\\", "\\\\").replace("'", "\\'")
        lines.append(f"complete -c adlab -f -n __fish_use_subcommand -a {command} -d '{said}'")
        for option in options:
            words = f" -x -a '{' '.join(choices[option])}'" if option in choices else ""
            lines.append(f"complete -c adlab -n '__fish_seen_subcommand_from {command}' -l {option.removeprefix('--')}{words}")
    return "\n".join(lines) + "\n"
