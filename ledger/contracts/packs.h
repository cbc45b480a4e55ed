// Packs as contracts read and write them: a record through the view, with the containers around it.
#ifndef PACKTRAIL_LEDGER_CONTRACTS_PACKS_H
#define PACKTRAIL_LEDGER_CONTRACTS_PACKS_H

#include "ledger/contracts/contract.h"
#include "ledger/contracts/master_facts.h"
#include "ledger/state/hierarchy.h"

// Declares a pack: its record read (and written), its containers read likewise (ACCESS_ANCESTORS).
void packs_declare(struct pt_bytes key, bool write, struct access_list *out);

// *found false: nothing is known of it, *out is all zero.
enum pt_code packs_read(struct state_view *view, struct pt_bytes key, struct pack_record *out, bool *found, struct pt_error *err) PT_NODISCARD;
// The pack and what it lies in; count 0 if nothing is known of it. Then levels[0] holds its key and a record of zeros.
enum pt_code packs_around(struct state_view *view, struct pt_bytes key, struct hierarchy *out, struct pt_error *err) PT_NODISCARD;
enum pt_code packs_write(struct state_view *view, struct pt_bytes key, const struct pack_record *record, struct pt_error *err) PT_NODISCARD;

// What master records say of the products of an event's packs at one time; each product is looked up once.
#define PRODUCT_MEMO_PLACES 8u
struct product_memo {
    struct state_view *view;
    struct pt_arena *arena;
    pt_millis at;
    size_t count, next;
    struct {
        struct pt_bytes product;  // beginning of the keys (pack_id_key_product)
        struct product_facts facts;
        bool found;
    } items[PRODUCT_MEMO_PLACES];
};
// *out NULL: its product is not known, or its kind of code names none. It lives until the next call.
enum pt_code product_memo_of(struct product_memo *memo, struct pt_bytes key, const struct product_facts **out, struct pt_error *err) PT_NODISCARD;
// Declares that the facts of all these packs' products are read.
void packs_declare_products(const struct event_pack *packs, size_t count, struct access_list *out);

#endif
