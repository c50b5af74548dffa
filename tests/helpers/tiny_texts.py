"""Texts, and language models with random weights and a vocabulary of a few words; none is loaded.

Needs transformers; the sentence model needs sentence-transformers.
"""

import tokenizers
import torch
import transformers

TEXTS = [
    *("good film", "bad film", "the music was great", "I hated the plot", "a fine film", "awful"),
    *("it was very good", "not good", "I liked it", "a poor plot"),
]
LABELS = ["positive", "negative"] * 5
_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
_WORDS = sorted({word for text in TEXTS for word in text.split()} | set(LABELS))
_VOCABULARY = {word: number for number, word in enumerate(_SPECIAL + _WORDS)}


def make_tokenizer(*, marks_ends=True, length=32):
    """Return a tokenizer of words."""
    core = tokenizers.Tokenizer(tokenizers.models.WordLevel(_VOCABULARY, unk_token="[UNK]"))
    core.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    if marks_ends:
        core.post_processor = tokenizers.processors.TemplateProcessing(
            single="[CLS] $A [SEP]",
            pair="[CLS] $A [SEP] $B [SEP]",
            special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
        )
    names = {f"{name.lower()}_token": f"[{name}]" for name in ("PAD", "UNK", "CLS", "SEP")}
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=core, model_max_length=length, eos_token="[SEP]", **names
    )


def make_bert(kind, **options):
    """Return a BERT of a class of transformers."""
    config = transformers.BertConfig(
        vocab_size=len(_VOCABULARY), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=32, **options
    )  # fmt: skip
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        return kind(config).eval()


def make_gpt():
    """Return a model that continues texts."""
    config = transformers.GPT2Config(
        vocab_size=len(_VOCABULARY), n_positions=512, n_embd=16, n_layer=1, n_head=2,
        eos_token_id=3, bos_token_id=3, pad_token_id=0
    )  # fmt: skip
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        return transformers.GPT2LMHeadModel(config).eval()


def make_sentence_model(folder):
    """Return a model of sentence-transformers, by way of a folder."""
    from sentence_transformers import SentenceTransformer

    make_bert(transformers.BertModel).save_pretrained(folder)
    make_tokenizer().save_pretrained(folder)
    return SentenceTransformer(str(folder), device="cpu")
