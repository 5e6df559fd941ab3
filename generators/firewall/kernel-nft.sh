# What the kernel has of the nft backend.

nft_apply() { nft -f "$1"; }

nft_loaded() { nft list table inet skep >/dev/null 2>&1; }

nft_left() { nft_loaded; }

nft_unload() { if nft_loaded; then nft delete table inet skep; fi; }
