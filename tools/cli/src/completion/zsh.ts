/** Makes zsh complete by `talaria complete`. */
export const ZSH = String.raw`#compdef talaria npx
# zsh completion of talaria, and of npx talaria
_talaria_bin() {
  local dir=$PWD
  while :; do
    if [[ -x $dir/node_modules/.bin/talaria ]]; then print -r -- "$dir/node_modules/.bin/talaria"; return 0; fi
    [[ -n $dir ]] || break
    dir=\${dir%/*}
  done
  whence -p talaria
}

_talaria() {
  local first=2 bin line value about
  local -a whole part
  if [[ \${words[1]:t} == npx ]]; then
    if (( CURRENT < 3 )) || [[ \${words[2]} != talaria ]]; then _default; return; fi
    first=3
  fi
  bin=$(_talaria_bin) || { _default; return; }
  while IFS= read -r line; do
    value=\${line%%$'\t'*}
    about=\${line#*$'\t'}
    [[ -n $value ]] || continue
    if [[ $value == */ ]]; then part+=("\${value//:/\\:}:$about"); else whole+=("\${value//:/\\:}:$about"); fi
  done < <(PATH="\${bin:h}:$PATH" "$bin" complete -- "\${(@)words[first,CURRENT]}" 2>/dev/null)
  if (( \${#whole} + \${#part} == 0 )); then _default; return; fi
  (( \${#whole} )) && _describe -t talaria talaria whole
  # More of the word follows.
  (( \${#part} )) && _describe -t contracts contract part -S ''
  return 0
}

if [[ $funcstack[1] == _talaria ]]; then
  _talaria "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
  compdef _talaria talaria npx
fi
`.replaceAll('\\${', '${');
