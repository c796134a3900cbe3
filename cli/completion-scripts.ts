/** What each shell has to be told; all knowledge stays in the program, which is asked anew at every Tab. */
export const COMPLETION_SCRIPTS = {
  bash: `# Completion for bash: eval "$(switchboard completion bash)"
_switchboard() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    COMPREPLY+=("\${line%%$'\\t'*}")
  done < <(switchboard __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _switchboard switchboard
`,
  zsh: `#compdef switchboard
# Completion for zsh: eval "$(switchboard completion zsh)", after compinit.
_switchboard() {
  local line
  local -a found
  while IFS= read -r line; do
    found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done < <(switchboard __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#found} )); then _describe -V switchboard found; else _files; fi
}
compdef _switchboard switchboard
`,
  fish: `# Completion for fish: switchboard completion fish | source
function __switchboard_complete
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    set -l found (switchboard __complete $words[2..-1] "$typed" 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\\n' $found
    else
        __fish_complete_path "$typed"
    end
end
complete -c switchboard -f -a '(__switchboard_complete)'
`,
} as const;

export type ShellName = keyof typeof COMPLETION_SCRIPTS;
