/** Makes bash (3.2 and newer, as on macOS) complete by `talaria complete`. */
export const BASH = String.raw`# bash completion of talaria, and of npx talaria
_talaria_bin() {
  local dir=$PWD
  while :; do
    if [ -x "$dir/node_modules/.bin/talaria" ]; then printf '%s' "$dir/node_modules/.bin/talaria"; return 0; fi
    [ -n "$dir" ] || break
    dir=\${dir%/*}
  done
  type -P talaria
}

_talaria() {
  local first=1 bin word line i glue=
  local -a words=()
  COMPREPLY=()
  if [ "\${COMP_WORDS[0]##*/}" = npx ]; then
    [ "$COMP_CWORD" -ge 2 ] && [ "\${COMP_WORDS[1]}" = talaria ] || return 0
    first=2
  fi
  bin=$(_talaria_bin) || return 0
  # bash splits words at =, : and @ too.
  for ((i = first; i <= COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case $word in
      = | : | := | @ ) glue=1; if [ \${#words[@]} -gt 0 ]; then words[\${#words[@]}-1]+=$word; else words+=("$word"); fi ;;
      * ) if [ -n "$glue" ]; then words[\${#words[@]}-1]+=$word; else words+=("$word"); fi; glue= ;;
    esac
  done
  local current=\${words[\${#words[@]}-1]} prefix=
  # What stands before = is not replaced; nor is what stands before @, which itself is.
  case $current in --*=*) prefix=\${current%%=*}= ;; *@*) prefix=\${current%%@*} ;; esac
  while IFS= read -r line; do
    line=\${line%%$'\t'*}
    [ -n "$line" ] || continue
    COMPREPLY+=("\${line#"$prefix"}")
    # More of the word follows.
    case $line in */) compopt -o nospace 2>/dev/null ;; esac
  done < <(PATH="\${bin%/*}:$PATH" "$bin" complete -- "\${words[@]}" 2>/dev/null)
}

complete -o default -F _talaria talaria npx
`.replaceAll('\\${', '${');
