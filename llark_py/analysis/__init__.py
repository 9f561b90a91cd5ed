"""Analysis: the measurements that tools are made of, each callable on its own.

Every function takes an `Audio` and gives plain values; what cannot be measured raises a
`ToolError` that says why in a sentence.
"""
