/** Makes fish (3.0 and newer) complete by `talaria complete`. */
export const FISH = String.raw`# fish completion of talaria, and of npx talaria
function __talaria_bin
    set -l dir $PWD
    while true
        if test -x "$dir/node_modules/.bin/talaria"
            echo "$dir/node_modules/.bin/talaria"
            return 0
        end
        test -n "$dir"; or break
        set dir (string replace -r '/[^/]*$' '' -- "$dir")
    end
    command -s talaria
end

function __talaria_complete
    set -l words (commandline -opc)
    set -e words[1]
    if test "$argv[1]" = npx
        set -e words[1]
    end
    set -l bin (__talaria_bin); or return 0
    set -lx PATH (string replace -r '/[^/]*$' '' -- "$bin") $PATH
    "$bin" complete -- $words (commandline -ct) 2>/dev/null
end

function __talaria_under_npx
    set -l words (commandline -opc)
    test (count $words) -ge 2; and test "$words[2]" = talaria
end

complete -c talaria -f -a '(__talaria_complete)'
complete -c npx -n __talaria_under_npx -f -a '(__talaria_complete npx)'
`;
